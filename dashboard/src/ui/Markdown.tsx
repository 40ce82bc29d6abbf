/**
 * Markdown of strangers. Raw HTML stays text, links open a page of their own and carry no referrer, and no image is
 * fetched: one inside the text is shown, of another its address. Loaded only when a message needs it.
 */

import ReactMarkdown, { type Components, defaultUrlTransform } from "react-markdown";
import remarkGfm from "remark-gfm";
import { visible } from "../model/visible";
import { Copy } from "./controls";

/** A picture inside the text itself: of a format that holds no script. */
const PICTURE = /^data:image\/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=]*$/;

const COMPONENTS: Components = {
  a: ({ href, children }) =>
    href && /^(https?:|mailto:)/i.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={visible(href)}>
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  img: ({ src, alt }) =>
    typeof src === "string" && PICTURE.test(src) ? (
      <img src={src} alt={visible(alt ?? "")} />
    ) : (
      <span className="faint">
        image: {visible(alt ?? "")} {src ? <code>{visible(String(src))}</code> : null}{" "}
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

function addressOf(url: string, name: string): string {
  return name === "src" && PICTURE.test(url) ? url : defaultUrlTransform(url);
}

export default function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown" dir="auto">
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={addressOf}>
        {visible(text)}
      </ReactMarkdown>
    </div>
  );
}
