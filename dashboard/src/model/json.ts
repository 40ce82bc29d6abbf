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
