import { expect, test } from "vitest";
import { append, chosenRange, dearCost, mergeHead, unseen, updateInPlace, without } from "./sessionList";

interface Row {
  session_id: string;
  cost?: number;
}
const rows = (text: string): Row[] => text.split("").map((session_id) => ({ session_id }));
const ids = (list: { rows: readonly Row[] }) => list.rows.map((row) => row.session_id).join("");
const list = (text: string, cursor: string | null = "next") => ({ rows: rows(text), cursor, total: 100 });

test("a page is appended without showing a row twice", () => {
  expect(ids(append(list("abc"), list("cde", null)))).toBe("abcde");
});

test("at the top the server's order is taken, and rows loaded beyond stay", () => {
  const merged = mergeHead(list("abcdef", "deep"), { ...list("nabc", "shallow"), total: 101 });
  expect(ids(merged)).toBe("nabcdef");
  expect(merged.cursor).toBe("deep");
  expect(merged.total).toBe(101);
});

test("a new row pushes none out, one that is gone leaves, one that rises stands once", () => {
  expect(ids(mergeHead(list("abcdef"), list("mnab")))).toBe("mnabcdef");
  expect(ids(mergeHead(list("abcdef"), list("acde")))).toBe("acdef");
  expect(ids(mergeHead(list("abcdef"), list("afbc")))).toBe("afbcde");
});

test("a first page of new rows alone is all that is known", () => {
  expect(mergeHead(list("abcdef", "deep"), list("wxyz", "shallow"))).toEqual(list("wxyz", "shallow"));
});

test("away from the top rows change where they stand and none is added", () => {
  const updated = updateInPlace(list("abc"), [{ session_id: "n" }, { session_id: "b", cost: 2 }]);
  expect(updated.rows).toEqual([{ session_id: "a" }, { session_id: "b", cost: 2 }, { session_id: "c" }]);
});

test("news that touches no loaded row changes nothing at all", () => {
  const before = list("abc");
  expect(updateInPlace(before, rows("xyz"))).toBe(before);
});

test("rows that are gone leave", () => {
  expect(ids(without(list("abc"), new Set(["b"])))).toBe("ac");
});

test("rows that wait above are counted", () => {
  expect(unseen(list("abc"), list("nmabc"))).toEqual({ count: 2, isMore: false });
  // A page of nothing but new rows: those that it pushed out are new as well.
  expect(unseen(list("abc"), list("xyz"))).toEqual({ count: 3, isMore: true });
  expect(unseen(list("abc"), list("xyz", null))).toEqual({ count: 3, isMore: false });
});

test("a range is chosen in either direction, and what is gone chooses nothing else", () => {
  expect(chosenRange(rows("abcd"), "b", "d")).toEqual(["b", "c", "d"]);
  expect(chosenRange(rows("abcd"), "d", "b")).toEqual(["b", "c", "d"]);
  expect(chosenRange(rows("abcd"), "gone", "b")).toEqual(["b"]);
});

test("one dear session does not make the others look free", () => {
  const costs = [...Array.from({ length: 30 }, () => 1), 500, null, 0];
  expect(dearCost(costs.map((cost) => ({ cost_usd: cost })))).toBe(1);
  expect(dearCost([])).toBe(1);
});
