import { expect, test } from "vitest";
import { readAddress, strictly, writeAddress } from "./address";

test("an address is read back as it was written", () => {
  const search = { q: "refund & <b>", tag: ["a b", "c,d"], zoom: "0-1200.5", since: "2026-11-20T10:00:00Z" };
  const text = writeAddress(search);
  expect(text).toBe("?q=refund+%26+%3Cb%3E&tag=a+b&tag=c,d&zoom=0-1200.5&since=2026-11-20T10:00:00Z");
  expect(readAddress(text.slice(1))).toEqual(search);
});

test("nothing is written for nothing", () => {
  expect(writeAddress({ q: undefined, tag: [], find: "" })).toBe("");
});

test("names of the language itself are names like others", () => {
  expect(readAddress("constructor=a&constructor=b")).toEqual({ constructor: ["a", "b"] });
});

test("what a reader leaves out is gone from the address the router hands on", () => {
  const read = strictly((raw) => ({ tag: raw.tag }));
  const raw = { tag: "red", utm_source: "mail", sort: "bogus" };
  expect({ ...raw, ...read(raw) }).toEqual({ tag: "red" });
});
