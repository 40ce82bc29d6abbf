import { expect, test } from "vitest";
import { fileName, inParts, inTurn } from "./bulk";

test("every one has its turn, no more than a few at once", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  const counts: number[] = [];
  await inTurn(
    [1, 2, 3, 4, 5],
    async (one) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      seen.push(one);
      running--;
    },
    2,
    (count) => counts.push(count),
  );
  expect([seen.toSorted(), most, counts]).toEqual([[1, 2, 3, 4, 5], 2, [1, 2, 3, 4, 5]]);
});

test("a failure stops what has not begun", async () => {
  const begun: number[] = [];
  const task = async (one: number) => {
    begun.push(one);
    if (one === 1) throw new Error("no");
  };
  await expect(inTurn([1, 2, 3, 4], task, 1)).rejects.toThrow("no");
  expect(begun).toEqual([1]);
});

test("who stops it ends what has not begun", async () => {
  const begun: number[] = [];
  const task = async (one: number) => void begun.push(one);
  await inTurn([1, 2, 3, 4], task, 1, undefined, () => begun.length === 2);
  expect(begun).toEqual([1, 2]);
});

test("files are named for any id, and never alike", () => {
  expect(fileName("../a b", "otlp", {})).toBe("session-.._a_b.otlp.json");
  expect(fileName("a/b", "json", { "session-a_b.json": 1 })).toBe("session-a_b-2.json");
});

test("many are done in parts, all of them once", () => {
  expect([inParts([1, 2, 3, 4, 5], 2), inParts([1, 2], 2), inParts([], 2)]).toEqual([[[1, 2], [3, 4], [5]], [[1, 2]], []]);
});
