/** What two texts share and what each has alone, word by word. */

export interface Piece {
  readonly side: "both" | "a" | "b";
  readonly text: string;
}

/** Words compared with each other: beyond so many the differing middle is told as a whole. */
const MOST_WORDS = 2_000;

export function wordDiff(a: string, b: string): Piece[] {
  const [left, right] = [words(a), words(b)];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const found: Piece[] = [];
  push(found, "both", left.slice(0, start));
  middle(found, left.slice(start, left.length - end), right.slice(start, right.length - end));
  push(found, "both", left.slice(left.length - end));
  return found;
}

function words(text: string): string[] {
  return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

function push(found: Piece[], side: Piece["side"], some: readonly string[]): void {
  if (some.length === 0) return;
  const last = found.at(-1);
  const text = some.join("");
  if (last?.side === side) found[found.length - 1] = { side, text: last.text + text };
  else found.push({ side, text });
}

/** The longest common run of words, by the table of its lengths. */
function middle(found: Piece[], a: readonly string[], b: readonly string[]): void {
  if (a.length === 0 || b.length === 0 || a.length > MOST_WORDS || b.length > MOST_WORDS) {
    push(found, "a", a);
    push(found, "b", b);
    return;
  }
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let row = a.length - 1; row >= 0; row--) {
    for (let column = b.length - 1; column >= 0; column--) {
      lengths[row * width + column] =
        a[row] === b[column]
          ? lengths[(row + 1) * width + column + 1] + 1
          : Math.max(lengths[(row + 1) * width + column], lengths[row * width + column + 1]);
    }
  }
  let row = 0;
  let column = 0;
  while (row < a.length && column < b.length) {
    if (a[row] === b[column]) {
      push(found, "both", [a[row]]);
      row++;
      column++;
    } else if (lengths[(row + 1) * width + column] >= lengths[row * width + column + 1]) push(found, "a", [a[row++]]);
    else push(found, "b", [b[column++]]);
  }
  push(found, "a", a.slice(row));
  push(found, "b", b.slice(column));
}
