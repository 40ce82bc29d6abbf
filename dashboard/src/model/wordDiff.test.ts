import { expect, test } from "vitest";
import { type Piece, wordDiff } from "./wordDiff";

const told = (pieces: Piece[]) => pieces.map(({ side, text }) => (side === "both" ? text : side === "a" ? `[-${text}-]` : `{+${text}+}`)).join("");

test("words that differ stand between words that are shared", () => {
  expect(told(wordDiff("refund order 17 now", "refund order 18 now"))).toBe("refund order [-17-]{+18+} now");
  expect(told(wordDiff("a b c", "a c"))).toBe("a [-b -]c");
  expect(told(wordDiff("", "new"))).toBe("{+new+}");
  expect(told(wordDiff("same", "same"))).toBe("same");
  expect(wordDiff("", "")).toEqual([]);
});

test("each text can be put together again", () => {
  const [a, b] = ["One two, three; four five.\nSix", "Zero two three; 五 five!\nSix seven"];
  const pieces = wordDiff(a, b);
  expect(pieces.filter(({ side }) => side !== "b").map(({ text }) => text).join("")).toBe(a);
  expect(pieces.filter(({ side }) => side !== "a").map(({ text }) => text).join("")).toBe(b);
});

test("texts of very many words are told as a whole", () => {
  const long = (word: string) => Array.from({ length: 3_000 }, (_, index) => `${word}${index}`).join(" ");
  expect(wordDiff(long("a"), long("b")).map(({ side }) => side)).toEqual(["a", "b"]);
});
