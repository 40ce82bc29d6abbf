import { expect, test } from "vitest";
import { idsOf } from "../model/texts";
import { readNative } from "./native";

/** Three blocks as the engine writes them, of two, two and one rows: id String, name LowCardinality(String), start Float64. */
const WRITTEN =
  "AwICaWQGU3RyaW5nBGlkLTAEaWQtMQRuYW1lFkxvd0NhcmRpbmFsaXR5KFN0cmluZykBAAAAAAAAAAAGAAAAAAAAAwAAAAAAAAAAAWIFZ3LDvG4CAAAAAAAAAAECBXN0" +
  "YXJ0B0Zsb2F0NjQAAAAAAAAAAAAAAAAAAOA/AwICaWQGU3RyaW5nBGlkLTIEaWQtMwRuYW1lFkxvd0NhcmRpbmFsaXR5KFN0cmluZykBAAAAAAAAAAAGAAAAAAAAAwAA" +
  "AAAAAAAAAWIFZ3LDvG4CAAAAAAAAAAECBXN0YXJ0B0Zsb2F0NjQAAAAAAADwPwAAAAAAAPh/AwECaWQGU3RyaW5nBGlkLTQEbmFtZRZMb3dDYXJkaW5hbGl0eShTdHJp" +
  "bmcpAQAAAAAAAAAABgAAAAAAAAIAAAAAAAAAAAFjAQAAAAAAAAABBXN0YXJ0B0Zsb2F0NjQAAAAAAAAAQA==";
const bytes = () => Uint8Array.from(atob(WRITTEN), (character) => character.charCodeAt(0)).buffer;

test("blocks are read as one, texts of any alphabet by their numbers", () => {
  const read = readNative(bytes());
  expect(read.count).toBe(5);
  const ids = idsOf(read.pieces("id"));
  expect([0, 1, 2, 3, 4].map((row) => ids.at(row))).toEqual(["id-0", "id-1", "id-2", "id-3", "id-4"]);
  const names = read.coded("name");
  expect([0, 1, 2, 3, 4].map((row) => names.at(row))).toEqual(["b", "grün", "b", "grün", "c"]);
  expect(names.distinct.toSorted()).toEqual(["", "b", "c", "grün"]);
  expect(read.numbers("start")).toEqual(Float64Array.of(0, 0.5, 1, Number.NaN, 2));
});

test("a text keeps a mark of byte order at its beginning", () => {
  const written = [1, 2, 1, 0x6e, 6, ...new TextEncoder().encode("String"), 4, 0xef, 0xbb, 0xbf, 0x61, 2, 0xc3, 0xa9];
  const names = idsOf(readNative(Uint8Array.from(written).buffer).pieces("n"));
  expect([names.at(0), names.at(1)]).toEqual(["\uFEFFa", "é"]);
});

test("an empty answer has empty columns", () => {
  const read = readNative(new ArrayBuffer());
  expect([read.count, read.pieces("id").text, read.numbers("start"), read.coded("name").codes.length]).toEqual([0, "", new Float64Array(), 0]);
});

test("what is cut off or of another shape says so", () => {
  for (const length of [1, 30, 60, 100, 150]) expect(() => readNative(bytes().slice(0, length))).toThrow(/cut off/);
  expect(() => readNative(bytes()).pieces("start")).toThrow("no usable column start");
  expect(() => readNative(bytes()).numbers("missing")).toThrow("no usable column missing");
});
