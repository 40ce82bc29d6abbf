import { expect, test } from "vitest";
import { readJson, writeJson } from "./json";

test("whole numbers keep their digits, whatever a double holds", () => {
  const text = '{"id":9007199254740993,"ids":[12345678901234567890,-1234567890123456789],"n":84.2,"at":1e300,"hex":"\\\\\\"1234567890123456789,2","f":0.12345678901234566,"s":9007199254740991}';
  expect(readJson(text)).toEqual({
    id: 9007199254740993n,
    ids: [12345678901234567890n, -1234567890123456789n],
    n: 84.2,
    at: 1e300,
    hex: '\\"1234567890123456789,2',
    f: 0.12345678901234566,
    s: 9007199254740991,
  });
  expect(writeJson(readJson(text))).toBe(text.replace("1e300", "1e+300"));
});
