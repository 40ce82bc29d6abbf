import { expect, test } from "vitest";
import { Ids, idsOf, joined, piecesOf, Texts, textsOf } from "./texts";

test("texts come back in the order of their rows, each kept once", () => {
  const texts = textsOf(["b", "", "b", "a"]).of(Int32Array.of(3, 0, 1, 2));
  expect([0, 1, 2, 3].map((row) => texts.at(row))).toEqual(["a", "b", "", "b"]);
  expect(texts.distinct).toEqual(["b", "", "a"]);
});

test("ids of any length lead to their rows and back, and strangers nowhere", () => {
  const given = Array.from({ length: 5000 }, (_, index) => `id-${index * 7}`);
  const ids = idsOf(piecesOf(given));
  expect(given.every((id, row) => ids.rowOf(id) === row && ids.at(row) === id)).toBe(true);
  expect(ids.length).toBe(5000);
  expect([ids.rowOf("id-1"), ids.rowOf(""), idsOf(piecesOf([])).rowOf("id-0")]).toEqual([-1, -1, -1]);
});

test("ids keep their way back in any order, and when more are added", () => {
  const ids = idsOf(joined([piecesOf(["a", "bb"]), piecesOf([]), piecesOf(["ccc"])]));
  const turned = ids.of(Int32Array.of(2, 0, 1), Int32Array.of(1, 2, 0));
  expect([0, 1, 2].map((row) => turned.at(row))).toEqual(["ccc", "a", "bb"]);
  expect(["a", "bb", "ccc", "b"].map((id) => turned.rowOf(id))).toEqual([1, 2, 0, -1]);
});

test("what was copied between threads works as before", () => {
  expect(new Ids(structuredClone(idsOf(piecesOf(["x", "yy"])))).rowOf("yy")).toBe(1);
  expect(new Texts(structuredClone(textsOf(["x", "yy"]))).at(1)).toBe("yy");
});
