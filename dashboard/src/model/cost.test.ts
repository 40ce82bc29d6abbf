import { expect, test } from "vitest";
import { arithmetic, rate, readCost } from "./cost";

const LINES = [
  { class: "input", tokens: 752, usd_per_million: 2.5, usd: 0.00188, price: "openai/gpt-4o", date: "2026-08-06", source: "genai-prices 0.2.3" },
  { class: "cache_read", tokens: 1152, usd_per_million: 1.25, usd: 0.00144, price: "openai/gpt-4o", date: "2026-08-06", source: "genai-prices 0.2.3" },
  { class: "output", tokens: 217, usd_per_million: 10, usd: 0.00217, price: "openai/gpt-4o", date: "2026-08-06", source: "genai-prices 0.2.3" },
];

test("a cost is told as arithmetic with its price's origin", () => {
  const story = readCost(LINES);
  expect(arithmetic(story.terms)).toBe("752 × $2.50 + 1,152 × $1.25 + 217 × $10.00 per million");
  expect(story.source).toBe("openai/gpt-4o · price of 2026-08-06 · genai-prices 0.2.3");
});

test("a price keeps the digits that the sum needs", () => {
  expect([0.625, 0.0625, 0.125 * 3, 2.5, 10, 0, 0.1 + 0.2, 0.0001].map(rate)).toEqual(
    ["$0.625", "$0.0625", "$0.375", "$2.50", "$10.00", "$0.00", "$0.30", "$0.0001"],
  );
});

test("what is billed by the request or the search stands apart", () => {
  const request = { class: "request", tokens: 1, usd_per_million: 5000, usd: 0.005 };
  const { terms } = readCost([LINES[0], request, { class: "web_search", tokens: 3, usd_per_million: 10_000, usd: 0.03 }]);
  expect(arithmetic(terms)).toBe("752 × $2.50 per million, $0.0050 per request, 3 searches × $0.01");
});

test("speech is billed by its characters, listening by its time", () => {
  const told = (name: string, tokens: number, perMillion: number) =>
    arithmetic(readCost([{ class: name, tokens, usd_per_million: perMillion, usd: 0 }]).terms);
  expect(told("character", 1200, 15)).toBe("1,200 characters × $15.00 per million");
  expect(told("audio_second", 63, 100)).toBe("63 seconds × $0.36 per hour");
});

test("a missing or strange detail is no story", () => {
  for (const detail of [null, "x", {}, [{ tokens: "many" }]]) expect(arithmetic(readCost(detail).terms)).toBe("");
});
