/**
 * JSON as it was sent: a whole number that a double cannot hold (an order's id, a time in nanoseconds) is read as a
 * bigint and written with all its digits.
 */

/** Whether some number of a JSON text may be changed by being read as a double. */
export function hasLongNumbers(text: string): boolean {
  return /\d{16}/.test(text);
}

export function readJson(text: string): unknown {
  if (!hasLongNumbers(text)) return JSON.parse(text);
  return JSON.parse(marked(text), (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? BigInt(value.slice(1)) : value,
  );
}

export function writeJson(value: unknown, indent?: number): string {
  let hasMarks = false;
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (typeof item !== "bigint") return item;
      hasMarks = true;
      return MARK + item;
    },
    indent,
  );
  return hasMarks ? text.replaceAll(MARKED, "$1") : text;
}

/** Before the digits of a number that goes through JSON as a text: a character that stands for nothing. */
const MARK = "\uF8FE";
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");
const LONG = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

function marked(text: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const opens = text.indexOf('"', at);
    const between = text.slice(at, opens < 0 ? undefined : opens);
    parts.push(between.replaceAll(LONG, (number) => (Number.isSafeInteger(Number(number)) ? number : `"${MARK}${number}"`)));
    if (opens < 0) break;
    at = afterString(text, opens);
    parts.push(text.slice(opens, at));
  }
  return parts.join("");
}

function afterString(text: string, opens: number): number {
  let end = text.indexOf('"', opens + 1);
  while (end > 0) {
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes++;
    if (escapes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Values that are read between two looks at the clock. */
const VALUES_A_STEP = 500;

/**
 * Read JSON as `readJson` does, a little at a time: whoever goes through it may do something else between two steps.
 * @throws SyntaxError when it is no JSON.
 */
export function* readingJson(text: string): Generator<undefined, unknown> {
  const open: { into: unknown[] | Record<string, unknown>; key: string }[] = [];
  let at = 0;
  let count = 0;
  const next = () => {
    while (text.charCodeAt(at) <= 32) at++;
    return text[at];
  };
  const take = (mark: string) => {
    if (next() !== mark) throw new SyntaxError(`JSON is damaged at ${at}.`);
    at++;
  };
  const string = () => {
    take('"');
    const begin = at - 1;
    at = afterString(text, begin);
    if (text[at - 1] !== '"' || at - begin < 2) throw new SyntaxError("JSON is cut off.");
    const inside = text.slice(begin + 1, at - 1);
    return /[\\\0-\x1f]/.test(inside) ? (JSON.parse(text.slice(begin, at)) as string) : inside;
  };
  const key = () => {
    const name = string();
    take(":");
    return name;
  };
  for (;;) {
    if (++count % VALUES_A_STEP === 0) yield;
    let value: unknown;
    const mark = next();
    if (mark === "[" || mark === "{") {
      at++;
      value = mark === "[" ? [] : {};
      if (next() !== (mark === "[" ? "]" : "}")) {
        open.push({ into: value as unknown[], key: mark === "[" ? "" : key() });
        continue;
      }
      at++;
    } else if (mark === '"') value = string();
    else {
      WORD.lastIndex = at;
      const word = WORD.exec(text)?.[0] ?? "";
      at += word.length;
      value = plain(word);
    }
    for (;;) {
      const around = open.at(-1);
      if (around === undefined) {
        if (next() !== undefined) throw new SyntaxError(`JSON is damaged at ${at}.`);
        return value;
      }
      put(around.into, around.key, value);
      const isList = Array.isArray(around.into);
      if (next() === ",") {
        at++;
        if (!isList) around.key = key();
        break;
      }
      take(isList ? "]" : "}");
      value = around.into;
      open.pop();
    }
  }
}

const WORD = /[-+.\w]*/y;

function plain(word: string): unknown {
  const value: unknown = JSON.parse(word);
  return typeof value === "number" && /^-?\d{16,}$/.test(word) && !Number.isSafeInteger(value) ? BigInt(word) : value;
}

function put(into: unknown[] | Record<string, unknown>, key: string, value: unknown): void {
  if (Array.isArray(into)) into.push(value);
  else if (key === "__proto__") Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  else into[key] = value;
}

/** A value with numbers in place of bigints: of what is counted here, a double is enough. */
export function withDoubles(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withDoubles);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withDoubles(one)]));
}
