import { expect, test } from "vitest";
import { grown } from "./growth";
import { arrange, type EventTable } from "./table";
import { columns, type Given } from "./tables.fixture";

const first: Given[] = [
  { id: "late-child", parent: "late", start: 5, duration: 1 },
  { id: "work", start: 0, kind: "operation", status: "running" },
  { id: "call", parent: "work", start: 2, duration: 3, kind: "llm", cost: 0.5, tokens: 10, model: "gpt-4o" },
];
const news: Given[] = [
  { id: "work", start: 0, duration: 9, kind: "operation", status: "ok" },
  { id: "late", start: 4, duration: 4, kind: "agent" },
  { id: "tool", parent: "work", start: 6, duration: 1, kind: "tool", status: "error", error: "no" },
];

function plain(table: EventTable) {
  const { ids, names, agents, models, errors, ...numbers } = table;
  const texts = [ids, names, agents, models, errors].map((text) => Array.from({ length: table.count }, (_, row) => text.at(row)));
  return { texts, numbers };
}

test("a table that grew is the table of everything at once", () => {
  const together = [first[0], news[0], first[2], news[1], news[2]];
  const table = grown(arrange(columns(first)), columns(news));
  expect(plain(table)).toEqual(plain(arrange(columns(together))));
  // The parent that was not there before has its child now.
  expect(table.ids.at(table.parents[table.ids.rowOf("late-child")])).toBe("late");
});

test("nothing new changes nothing", () => {
  const table = arrange(columns(first));
  expect(plain(grown(table, columns([])))).toEqual(plain(table));
});
