import { expect, test } from "vitest";
import { modelBeside, shortModel } from "./naming";

test("a model's date and path are left out", () => {
  expect(shortModel("gpt-4.1-mini-2025-04-14")).toBe("gpt-4.1-mini");
  expect(shortModel("claude-sonnet-4-20250514")).toBe("claude-sonnet-4");
  expect(shortModel("models/gemini-2.5-pro")).toBe("gemini-2.5-pro");
  expect(shortModel("anthropic.claude-3-5-sonnet-20241022-v2:0")).toBe("anthropic.claude-3-5-sonnet");
  expect(shortModel("gpt-4o")).toBe("gpt-4o");
});

test("a name that says its model is not made longer", () => {
  expect(modelBeside("ChatCompletion", "gpt-4.1-mini-2025-04-14")).toBe("gpt-4.1-mini");
  expect(modelBeside("chat gpt-4o", "gpt-4o-2024-08-06")).toBe("");
  expect(modelBeside("chat gpt-4o-2024-08-06", "gpt-4o-2024-08-06")).toBe("");
  expect(modelBeside("chat gpt-4o-mini", "gpt-4o")).toBe("gpt-4o");
  expect(modelBeside("lookup", "")).toBe("");
});
