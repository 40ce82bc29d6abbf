import { expect, test } from "vitest";
import { isolated, oneLine, pieces, visible } from "./visible";

test("what reorders, hides or overwrites is shown as a sign", () => {
  expect(visible("a\u202egnp.exe")).toBe("a⟨U+202E⟩gnp.exe");
  expect(visible("\u001b[31mred\u0000\u0007")).toBe("⟨ESC⟩[31mred⟨NUL⟩⟨BEL⟩");
  expect(visible("pay\u200bpal\ufeff")).toBe("pay⟨U+200B⟩pal⟨U+FEFF⟩");
  expect(visible("\u{e0041}")).toBe("⟨U+E0041⟩");
  expect(visible("over\rwrite\u007f")).toBe("over⟨CR⟩write⟨DEL⟩");
});

test("ordinary writing is left alone", () => {
  for (const text of ["a\tb\nc", "é ü ß 日本語 עברית", "👩‍👩‍👧 👍🏽 👩🏽‍💻 ❤️‍🔥", "می‌خواهم", "line\nnext"]) expect(visible(text)).toBe(text);
  expect(visible("windows\r\nlines")).toBe("windows\nlines");
});

test("each sign says what it stands for", () => {
  expect(pieces("a\u202eb")).toEqual([
    { text: "a" },
    { text: "⟨U+202E⟩", hidden: "U+202E right-to-left override" },
    { text: "b" },
  ]);
});

test("one line, cut, whatever the size", () => {
  expect(oneLine("  two\n lines ", 20)).toBe("two lines");
  expect(oneLine("x".repeat(5_000_000), 10)).toBe(`${"x".repeat(9)}…`);
});

test("a line is cut between characters, not inside one", () => {
  expect(oneLine("😀".repeat(40), 6)).toBe("😀😀…");
  expect(oneLine("😀".repeat(40), 7)).toBe("😀😀😀…");
});

test("what is written from right to left is kept apart from what stands beside it, by name and by error", () => {
  expect(["ابحث", "800 ms"].map(isolated).join("  ")).toBe("\u2068ابحث\u2069  800 ms");
  expect(isolated("שלום")).toBe("\u2068שלום\u2069");
});
