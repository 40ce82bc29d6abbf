/** A conversation as the server tells it, read with suspicion: every field may be missing or of another type. */

import { writeJson } from "./json";

export type Part =
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "tool_call"; id: string; name: string; input: unknown }
  | { type: "tool_result"; id: string; output: unknown }
  | { type: "image"; source: string; mime: string }
  | { type: "file"; label: string; uri: string; save?: Saved }
  | { type: "other"; value: unknown };

/** A file that stands in the message: to be saved, never opened. */
export interface Saved {
  name: string;
  data: string;
}

export interface Message {
  role: string;
  name: string;
  direction: "input" | "output";
  parts: Part[];
  finish: string;
}

type Loose = Record<string, unknown>;

/** What went into a call and what came out of it. */
export interface Exchange {
  input?: unknown;
  input_format: string | null;
  output?: unknown;
  output_format: string | null;
}

/** The messages of a call. */
export function messagesOf({ input, input_format, output, output_format }: Exchange): Message[] {
  return readMessages([...told(input, input_format, "input"), ...told(output, output_format, "output")]);
}

function told(value: unknown, format: string | null, direction: Message["direction"]): Loose[] {
  return format === "messages" && Array.isArray(value) ? value.filter(isObject).map((message) => ({ ...message, direction })) : [];
}

/** A call as a conversation: where one side of it is none, that is a message of its own. */
export function conversation(call: Exchange): Message[] {
  const { input, input_format, output, output_format } = call;
  const messages = messagesOf(call);
  if (messages.length === 0) return messages;
  const asked = input_format !== "messages" && input != null ? [plain("user", "input", input)] : [];
  const answered = output_format !== "messages" && output != null ? [plain("assistant", "output", output)] : [];
  return [...asked, ...messages, ...answered];
}

function plain(role: string, direction: Message["direction"], value: unknown): Message {
  return { role, name: "", direction, parts: [typeof value === "string" ? { type: "text", text: value } : { type: "other", value }], finish: "" };
}

export function readMessages(value: unknown): Message[] {
  if (!Array.isArray(value)) return [];
  return named(
    value.filter(isObject).map((message) => ({
      role: text(message.role) || "message",
      name: text(message.name),
      direction: message.direction === "output" ? "output" : "input",
      parts: readParts(message.parts ?? message.content),
      finish: text(message.finish_reason),
    })),
  );
}

/** A tool's answer names the call it answers; show which tool that was. */
function named(messages: Message[]): Message[] {
  const tools = new Map<string, string>();
  return messages.map((message) => {
    for (const part of message.parts) if (part.type === "tool_call" && part.id) tools.set(part.id, part.name);
    const answer = message.parts.find((part) => part.type === "tool_result");
    const tool = answer && tools.get(answer.id);
    return tool && !message.name ? { ...message, name: tool } : message;
  });
}

function readParts(value: unknown): Part[] {
  if (typeof value === "string") return value ? [{ type: "text", text: value }] : [];
  if (!Array.isArray(value)) return value == null ? [] : [{ type: "other", value }];
  return value.map((part): Part => (isObject(part) ? readPart(part) : { type: "text", text: text(part) }));
}

function readPart(part: Loose): Part {
  switch (part.type) {
    case "text":
      return { type: "text", text: text(part.content ?? part.text) };
    case "reasoning":
      return { type: "reasoning", text: text(part.content ?? part.text) };
    case "tool_call":
    case "server_tool_call":
      return { type: "tool_call", id: text(part.id), name: text(part.name) || "tool", input: part.arguments };
    case "tool_call_response":
      return { type: "tool_result", id: text(part.id), output: part.response ?? part.result };
    case "blob": {
      const mime = text(part.mime_type);
      const isImage = /^image\/(png|jpe?g|gif|webp)$/.test(mime);
      const content = base64(text(part.content));
      if (isImage && content !== null) return { type: "image", mime, source: `data:${mime};base64,${content}` };
      const label = [text(part.modality) || "file", mime].filter(Boolean).join(" · ");
      return { type: "file", label, uri: "", ...(content ? { save: saved(mime, content) } : {}) };
    }
    case "uri":
    case "file": {
      const inline = /^data:([\w.+/-]*);base64,/.exec(text(part.uri));
      if (inline) return readPart({ ...part, type: "blob", mime_type: inline[1], content: text(part.uri).slice(inline[0].length) });
      return {
        type: "file",
        label: [text(part.modality) || "file", text(part.mime_type), text(part.file_id)].filter(Boolean).join(" · "),
        uri: text(part.uri),
      };
    }
    default:
      return { type: "other", value: part };
  }
}

/** A text in base64, in the alphabet that addresses take; null for what is none. */
function base64(content: string): string | null {
  return /^[A-Za-z0-9+/=_\s-]*$/.test(content) ? content.replaceAll("-", "+").replaceAll("_", "/") : null;
}

function saved(mime: string, content: string): Saved {
  const ending = /^\w+\/(?:x-)?([a-z0-9]{1,8})$/.exec(mime)?.[1] ?? "bin";
  return { name: `file.${ending}`, data: `data:application/octet-stream;base64,${content}` };
}

/** How many messages at the head of `next` repeat `previous`, its answer included: history, not news. */
export function repeated(previous: readonly Message[], next: readonly Message[]): number {
  let same = 0;
  while (same < previous.length && same < next.length && sameMessage(previous[same], next[same])) same++;
  return same;
}

/** The tools' answers to a call's own tool calls, found in what the call after it was told: they belong beside each other. */
export function toolAnswers(call: readonly Message[], next: readonly Message[]): Message[] {
  const asked = new Set<string>();
  for (const message of call) {
    if (message.direction !== "output") continue;
    for (const part of message.parts) if (part.type === "tool_call" && part.id) asked.add(part.id);
  }
  if (asked.size === 0) return [];
  return next.filter((message) => message.direction === "input" && answersOnly(message, asked));
}

/** How many messages of a call stand in the call before it already: its history, and the answers shown there. */
export function alreadyShown(before: readonly Message[], messages: readonly Message[]): number {
  const answers = new Set(toolAnswers(before, messages));
  let shown = repeated(before, messages);
  while (shown < messages.length && answers.has(messages[shown])) shown++;
  return shown;
}

function answersOnly(message: Message, asked: ReadonlySet<string>): boolean {
  return message.parts.length > 0 && message.parts.every((part) => part.type === "tool_result" && asked.has(part.id));
}

function sameMessage(a: Message, b: Message): boolean {
  return a.role === b.role && writeJson(a.parts) === writeJson(b.parts);
}

function isObject(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (value == null) return "";
  return typeof value === "object" ? writeJson(value) : String(value);
}
