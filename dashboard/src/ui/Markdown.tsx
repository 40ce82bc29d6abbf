/**
 * Markdown of strangers. Raw HTML stays text, links ask before they leave and carry no referrer, and no image is
 * fetched: its address is shown instead. Loaded only when a message needs it.
 */

import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { visible } from "../model/visible";
import { Copy } from "./controls";

const COMPONENTS: Components = {
  a: ({ href, children }) =>
    href && /^(https?:|mailto:)/i.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={visible(href)}>
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  img: ({ src, alt }) => (
    <span className="faint">
      image: {visible(alt ?? "")} {typeof src === "string" && !src.startsWith("data:") ? <code>{visible(src)}</code> : null}{" "}
      {typeof src === "string" && /^https?:/i.test(src) && (
        <a href={src} target="_blank" rel="noopener noreferrer nofollow">
          open
        </a>
      )}
    </span>
  ),
  pre: ({ children, node }) => (
    <div className="code-block">
      <Copy text={node ? textOf(node) : ""} label="Copy the code" />
      <pre>{children}</pre>
    </div>
  ),
};

interface Tree {
  readonly value?: string;
  readonly children?: readonly Tree[];
}

function textOf(node: Tree): string {
  return node.value ?? (node.children ?? []).map(textOf).join("");
}

const PLUGINS = [remarkGfm];

export default function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown" dir="auto">
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
        {visible(text)}
      </ReactMarkdown>
    </div>
  );
}
