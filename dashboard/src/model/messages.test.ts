import { expect, test } from "vitest";
import { readMessages, repeated } from "./messages";

test("texts, reasoning, calls and results are read, old names too", () => {
  const messages = readMessages([
    { role: "system", parts: [{ type: "text", content: "Follow the policy." }] },
    { role: "user", content: "Where is it?" },
    {
      role: "assistant",
      direction: "output",
      finish_reason: "tool_calls",
      parts: [
        { type: "reasoning", content: "look it up" },
        { type: "tool_call", id: "c1", name: "lookup", arguments: { id: 1 } },
      ],
    },
    { role: "tool", parts: [{ type: "tool_call_response", id: "c1", result: "lost" }] },
  ]);
  expect(messages).toEqual([
    { role: "system", name: "", direction: "input", finish: "", parts: [{ type: "text", text: "Follow the policy." }] },
    { role: "user", name: "", direction: "input", finish: "", parts: [{ type: "text", text: "Where is it?" }] },
    {
      role: "assistant",
      name: "",
      direction: "output",
      finish: "tool_calls",
      parts: [
        { type: "reasoning", text: "look it up" },
        { type: "tool_call", id: "c1", name: "lookup", input: { id: 1 } },
      ],
    },
    { role: "tool", name: "lookup", direction: "input", finish: "", parts: [{ type: "tool_result", id: "c1", output: "lost" }] },
  ]);
});

test("whatever is no conversation is none, and strange parts are kept", () => {
  expect(readMessages("text")).toEqual([]);
  expect(readMessages([null, 7, { role: 3, parts: [{ type: "new", x: 1 }, "bare"] }])).toEqual([
    {
      role: "3",
      name: "",
      direction: "input",
      finish: "",
      parts: [
        { type: "other", value: { type: "new", x: 1 } },
        { type: "text", text: "bare" },
      ],
    },
  ]);
});

test("only images of known types become pictures; an address is never fetched", () => {
  const parts = (part: object) => readMessages([{ role: "user", parts: [part] }])[0].parts[0];
  expect(parts({ type: "blob", mime_type: "image/png", content: "AAAA" })).toEqual({
    type: "image",
    mime: "image/png",
    source: "data:image/png;base64,AAAA",
  });
  expect(parts({ type: "blob", mime_type: "image/svg+xml", content: "AAAA" }).type).toBe("file");
  expect(parts({ type: "blob", mime_type: "image/png", content: "javascript:alert(1)" }).type).toBe("file");
  expect(parts({ type: "uri", mime_type: "image/png", uri: "https://example.com/x.png" })).toEqual({
    type: "file",
    label: "file · image/png",
    uri: "https://example.com/x.png",
  });
});

test("what a call repeats of the one before is counted, its answer included", () => {
  const first = readMessages([
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello", direction: "output", finish_reason: "stop" },
  ]);
  const next = readMessages([
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello" },
    { role: "user", content: "more" },
  ]);
  expect(repeated(first, next)).toBe(2);
  expect(repeated(next, readMessages([{ role: "user", content: "else" }]))).toBe(0);
});
