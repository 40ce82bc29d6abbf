import { expect, test } from "vitest";
import { tableOf } from "./tables.fixture";
import { unfinished } from "./unfinished";

test("of what has no end, the innermost is told, the latest first", () => {
  const open = { status: "interrupted", duration: null };
  const table = tableOf([
    { id: "outer", kind: "agent", ...open },
    { id: "call", parent: "outer", kind: "llm", start: 1 },
    { id: "tool", parent: "outer", kind: "tool", start: 12, ...open },
    { id: "other", kind: "agent", start: 20, ...open },
  ]);
  expect(unfinished(table).map((row) => table.ids.at(row))).toEqual(["other", "tool"]);
});
