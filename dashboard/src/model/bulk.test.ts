import { expect, test } from "vitest";
import { inParts, inTurn, inWeighedParts } from "./bulk";

test("every part has its turn, one after the other", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await inTurn([1, 2, 3, 4, 5], async (one) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    seen.push(one);
    running--;
  });
  expect([seen, most]).toEqual([[1, 2, 3, 4, 5], 1]);
});

test("a failure stops what has not begun", async () => {
  const begun: number[] = [];
  const task = async (one: number) => {
    begun.push(one);
    if (one === 1) throw new Error("no");
  };
  await expect(inTurn([1, 2, 3, 4], task)).rejects.toThrow("no");
  expect(begun).toEqual([1]);
});

test("who stops it ends what has not begun", async () => {
  const begun: number[] = [];
  const task = async (one: number) => void begun.push(one);
  await inTurn([1, 2, 3, 4], task, () => begun.length === 2);
  expect(begun).toEqual([1, 2]);
});

test("many are done in parts, all of them once", () => {
  expect([inParts([1, 2, 3, 4, 5], 2), inParts([1, 2], 2), inParts([], 2)]).toEqual([[[1, 2], [3, 4], [5]], [[1, 2]], []]);
});

test("parts are as large as their weight allows, none empty", () => {
  expect(inWeighedParts(["aa", "b", "cccc", "a", "long text", "z"], 4, (one) => one.length)).toEqual([["aa", "b"], ["cccc"], ["a"], ["long text"], ["z"]]);
});
