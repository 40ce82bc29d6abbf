import { expect, test } from "vitest";
import { alreadyShown, conversation, messagesOf, readMessages, repeated, toolAnswers } from "./messages";

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
  expect(parts({ type: "blob", mime_type: "image/png", content: "-_-_" })).toMatchObject({ source: "data:image/png;base64,+/+/" });
  expect(parts({ type: "blob", mime_type: "image/svg+xml", content: "AAAA" }).type).toBe("file");
  expect(parts({ type: "blob", modality: "audio", mime_type: "audio/wav", content: "AAAA" })).toEqual({
    type: "file",
    label: "audio · audio/wav",
    uri: "",
    save: { name: "file.wav", data: "data:application/octet-stream;base64,AAAA" },
  });
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

test("a tool's answer belongs to the call that asked for it, and is history for the next", () => {
  const asked = { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Basel" } }] };
  const said = { role: "user", parts: [{ type: "text", content: "Weather?" }] };
  const told = { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "rain" }] };
  const stranger = { role: "tool", parts: [{ type: "tool_call_response", id: "c9", response: "snow" }] };
  const first = readMessages([{ ...said, direction: "input" }, { ...asked, direction: "output" }]);
  const done = { role: "assistant", parts: [{ type: "text", content: "Rain." }], direction: "output" };
  const second = readMessages([...[said, asked, told, stranger].map((one) => ({ ...one, direction: "input" })), done]);
  expect(toolAnswers(first, second).map((message) => message.parts)).toEqual([[{ type: "tool_result", id: "c1", output: "rain" }]]);
  expect(toolAnswers(first, second)[0].name).toBe("weather");
  expect(alreadyShown(first, second)).toBe(3);
  expect(toolAnswers(second, first)).toEqual([]);
});

test("a picture that stands in its address is a picture, one that is elsewhere is not", () => {
  const [message] = readMessages([
    { role: "user", parts: [{ type: "uri", uri: "data:image/png;base64,AAAA" }, { type: "uri", modality: "image", uri: "https://example.com/a.png" }] },
  ]);
  expect(message.parts).toEqual([
    { type: "image", mime: "image/png", source: "data:image/png;base64,AAAA" },
    { type: "file", label: "image", uri: "https://example.com/a.png" },
  ]);
});

test("a side of a call that is no conversation is a message of it", () => {
  const asked = [{ role: "user", direction: "output", parts: [{ type: "text", content: "What is it?" }] }];
  const of = { input: asked, input_format: "messages", output: "It is 42.", output_format: "text" };
  expect(conversation(of).map(({ role, direction, parts }) => [role, direction, parts])).toEqual([
    ["user", "input", [{ type: "text", text: "What is it?" }]],
    ["assistant", "output", [{ type: "text", text: "It is 42." }]],
  ]);
  expect(messagesOf(of).length).toBe(1);
  const turned = { input: { prompt: 1 }, input_format: "json", output: asked, output_format: "messages" };
  expect(conversation(turned).map(({ direction, parts }) => [direction, parts[0].type])).toEqual([
    ["input", "other"],
    ["output", "text"],
  ]);
  expect(conversation({ ...of, input_format: "json" })).toEqual([]);
});
