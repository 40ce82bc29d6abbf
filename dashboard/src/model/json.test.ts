import { expect, test } from "vitest";
import { readingJson, readJson, writeJson } from "./json";

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

function read(text: string): { value: unknown; steps: number } {
  const reading = readingJson(text);
  for (let steps = 0; ; steps++) {
    const { done, value } = reading.next();
    if (done) return { value, steps };
  }
}

test("what is read a little at a time is what is read at once", () => {
  const texts = [
    '{"a":[1,-2.5e3,true,false,null,"x"],"b":{},"c":[],"":"","d":{"e":{"f":[[],[[1]],{}]}}}',
    ' [ 1 , { "k" : "v" } ,\n\t"q\\"uo\\\\te \\u00e9 \\ud83d\\ude00" ] ',
    '{"id":12345678901234567890,"list":[-12345678901234567,9007199254740991,1234567890123456.5,1e400]}',
    '{"__proto__":{"a":1},"constructor":2,"twice":1,"twice":2}',
    '"text"', "7", "null", "[]", '"\u2028 \u0000"'.replace("\u0000", "\\u0000"),
  ];
  for (const text of texts) expect(read(text).value).toEqual(readJson(text));
  expect(Object.keys(read(texts[3]).value as object)).toEqual(["__proto__", "constructor", "twice"]);
});

test("what is damaged is refused, as at once", () => {
  for (const text of ["", "[1", "[1,]", "[1 2]", '{"a"}', '{"a":1,}', '"open', "tru", "01", "[1]]", "{a:1}", '["\n"]', "+1"]) {
    expect(() => read(text), text).toThrow(SyntaxError);
    expect(() => readJson(text), text).toThrow(SyntaxError);
  }
});

test("no step reads much", () => {
  const rows = Array.from({ length: 5_000 }, (_, id) => ({ id, name: `row ${id}` }));
  expect(read(JSON.stringify(rows)).steps).toBeGreaterThan(25);
});
