/** A conversation: who said what, tools called and what they answered. All of it is the text of strangers. */

import { lazy, Suspense, useMemo, useState } from "react";
import { readJson, writeJson } from "../../model/json";
import type { Message, Part } from "../../model/messages";
import { plural } from "../../model/format";
import { oneLine } from "../../model/visible";
import { Copy } from "../../ui/controls";
import { Json } from "../../ui/json";
import { Long, Visible } from "../../ui/text";

const Markdown = lazy(() => import("../../ui/Markdown"));

/** Folded: the messages an earlier call has shown already. */
export function Chat({ messages, fold = 0 }: { messages: readonly Message[]; fold?: number }) {
  const [isOpen, setOpen] = useState(false);
  const from = isOpen ? 0 : fold;
  return (
    <div className="chat">
      {fold > 0 && (
        <button type="button" className="more" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Fold" : "Show"} {plural(fold, "earlier message")}
        </button>
      )}
      {messages.slice(from).map((message, index) => (
        <MessageCard key={from + index} message={message} />
      ))}
    </div>
  );
}

function MessageCard({ message }: { message: Message }) {
  const calls = message.parts.filter((part) => part.type === "tool_call").length;
  const texts = message.parts.flatMap((part) => (part.type === "text" || part.type === "reasoning" ? [part.text] : []));
  const isMarkdown = message.role === "assistant" && texts.some(looksLikeMarkdown);
  const [isRaw, setRaw] = useState(false);
  return (
    <article className={`message role-${roleClass(message.role)}`} aria-label={`${message.role} message`}>
      <header>
        <b>{oneLine(message.role, 30)}</b>
        {message.name && <span className="faint">{oneLine(message.name, 60)}</span>}
        {message.direction === "output" && <span className="faint">answer</span>}
        <span className="grow" />
        {calls > 0 && <span className="faint">{calls === 1 ? "tool call" : plural(calls, "tool call")}</span>}
        {message.finish && message.finish !== "stop" && message.finish !== "tool_calls" && message.finish !== "tool_call" && (
          <span className="faint">{oneLine(message.finish, 30)}</span>
        )}
        {isMarkdown && (
          <button type="button" className="link faint" onClick={() => setRaw(!isRaw)}>
            {isRaw ? "formatted" : "as sent"}
          </button>
        )}
        {texts.length > 0 && <Copy text={texts.join("\n\n")} label="Copy the message" />}
      </header>
      {message.parts.length === 0 && <p className="faint">empty</p>}
      {message.parts.map((part, index) => (
        <PartView key={index} part={part} formatted={isMarkdown && !isRaw} />
      ))}
    </article>
  );
}

function PartView({ part, formatted }: { part: Part; formatted: boolean }) {
  switch (part.type) {
    case "text":
      return (
        <div className="part">
          {formatted && part.text.length < 100_000 ? (
            <Suspense fallback={<Long text={part.text} />}>
              <Markdown text={part.text} />
            </Suspense>
          ) : (
            <TextOrJson text={part.text} />
          )}
        </div>
      );
    case "reasoning":
      return (
        <details className="part reasoning">
          <summary className="faint">reasoning</summary>
          <Long text={part.text} />
        </details>
      );
    case "tool_call":
      return (
        <div className="part call">
          <div className="mono call-name">
            <Visible text={part.name} />
            {part.id && <span className="faint"> {oneLine(part.id, 28)}</span>}
          </div>
          <Arguments value={part.input} />
        </div>
      );
    case "tool_result":
      return (
        <div className="part">
          <Value value={part.output} />
        </div>
      );
    case "image":
      return (
        <div className="part">
          <img src={part.source} alt={`${part.mime} in this message`} />
        </div>
      );
    case "file":
      return (
        <div className="part faint">
          {part.label}
          {part.save && (
            <>
              {" "}
              <a href={part.save.data} download={part.save.name}>
                save
              </a>
            </>
          )}
          {part.uri && (
            <>
              {" "}
              <span className="mono">{oneLine(part.uri, 200)}</span> <Copy text={part.uri} label="Copy the address" />
              {/^https?:/i.test(part.uri) && (
                // Nothing of a message is fetched by itself: who wants to see it asks for it, in a page of its own.
                <a href={part.uri} target="_blank" rel="noopener noreferrer nofollow">
                  open
                </a>
              )}
            </>
          )}
        </div>
      );
    case "other":
      return (
        <div className="part">
          <Json value={part.value} />
        </div>
      );
  }
}

/** `id = "48190"` a line: a call reads as one. */
function Arguments({ value }: { value: unknown }) {
  if (value == null) return null;
  if (typeof value !== "object" || Array.isArray(value)) return <Value value={value} />;
  const entries = Object.entries(value);
  if (entries.length > 12 || entries.some(([, item]) => typeof item === "object" && item !== null)) {
    return <Json value={value} open={2} />;
  }
  return (
    <dl className="arguments mono">
      {entries.map(([name, item]) => (
        <div key={name}>
          <dt>{oneLine(name, 60)}</dt>
          <dd>
            <Long text={typeof item === "string" && (item.length > 200 || item.includes("\n")) ? item : writeJson(item)} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Any value: an object as a tree, open to a depth; text as text, or as a tree when it is JSON. */
export function Value({ value, open }: { value: unknown; open?: number }) {
  if (typeof value === "string") return <TextOrJson text={value} open={open} />;
  if (typeof value === "object" && value !== null) return <Json value={value} open={open} />;
  return <span className="mono">{String(value)}</span>;
}

function TextOrJson({ text, open }: { text: string; open?: number }) {
  const value = useMemo(() => parsedJson(text), [text]);
  return value === null ? <Long text={text} /> : <Json value={value} open={open} />;
}

function parsedJson(text: string): object | null {
  if (!/^\s*[[{]/.test(text) || text.length > 200_000) return null;
  try {
    const value: unknown = readJson(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function looksLikeMarkdown(text: string): boolean {
  return /(^|\n)(#{1,4} |[-*] |\d+\. |> |```|\|.+\|)|\*\*[^*\n]+\*\*|`[^`\n]+`|\[[^\]\n]+\]\([^)\n]+\)/.test(text);
}

function roleClass(role: string): string {
  return /^(system|developer|user|assistant|tool)$/.test(role) ? role : "other";
}
