import { expect, test } from "vitest";
import { withQuery } from "./client";
import { readFrame } from "./live";
import { based, writtenColumns } from "./timeline";
import type { Timeline } from "./types";

test("a frame names the sessions that changed; anything else names none", () => {
  expect(readFrame('{"sessions":["a","b"]}')).toEqual(new Set(["a", "b"]));
  for (const text of ["", "{}", "null", '{"sessions":1}', "ping"]) expect(readFrame(text)).toBeNull();
});

test("a query repeats lists and leaves out what is empty", () => {
  expect(withQuery("/api/sessions", { tag: ["a", "b c"], q: "", state: undefined, limit: 5, cursor: null })).toBe(
    "/api/sessions?tag=a&tag=b+c&limit=5",
  );
  expect(withQuery("/x", {})).toBe("/x");
});

test("an event that a clock put before its session's start moves the base, not the event", () => {
  const answer = {
    event_id: ["a", "b"],
    parent_id: [null, "a"],
    kind: ["agent", "llm"],
    name: ["A", "B"],
    agent: [null, "A"],
    started_at: [],
    start_ms: [-20, 5],
    duration_ms: [30, null],
    status: ["ok", "running"],
    model: [null, "m"],
    tokens_total: [null, 7],
    cost_usd: [null, 0.1],
    error_type: [null, "E"],
    error_message: [null, "why"],
  } as unknown as Timeline;
  const { base, columns } = based(writtenColumns(answer), "2026-11-20T14:00:00.000000Z");
  expect(base).toBe(Date.parse("2026-11-20T13:59:59.980Z") * 1000);
  expect(columns.starts).toEqual(Float64Array.of(0, 25));
  expect([0, 1].map((row) => columns.errors.at(row))).toEqual(["", "E: why"]);
});
