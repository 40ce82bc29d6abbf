import { expect, test } from "vitest";
import { Ids, idsOf, Texts, textsOf } from "./texts";

test("texts come back in the order of their rows, each kept once", () => {
  const texts = textsOf(["b", "", "b", "a"]).of(Int32Array.of(3, 0, 1, 2));
  expect([0, 1, 2, 3].map((row) => texts.at(row))).toEqual(["a", "b", "", "b"]);
  expect(texts.distinct).toEqual(["b", "", "a"]);
});

test("ids of any length lead to their rows and back, and strangers nowhere", () => {
  const given = Array.from({ length: 5000 }, (_, index) => `id-${index * 7}`);
  const ids = idsOf(given, Int32Array.from(given.keys()));
  expect(given.every((id, row) => ids.rowOf(id) === row && ids.at(row) === id)).toBe(true);
  expect(ids.length).toBe(5000);
  expect([ids.rowOf("id-1"), ids.rowOf(""), idsOf([], new Int32Array()).rowOf("id-0")]).toEqual([-1, -1, -1]);
});

test("what was copied between threads works as before", () => {
  const rows = Int32Array.of(0, 1);
  expect(new Ids(structuredClone(idsOf(["x", "yy"], rows))).rowOf("yy")).toBe(1);
  expect(new Texts(structuredClone(textsOf(["x", "yy"]))).at(1)).toBe("yy");
});
