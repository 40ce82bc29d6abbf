/**
 * Columns of text, compact: names repeat far more often than they differ, and ids are all of one kind. What is kept
 * are arrays of numbers and few strings, so that half a million rows travel between threads as a copy of bytes.
 */

/** A column in which few texts repeat: each row names its text by number. */
export class Texts {
  readonly codes: Int32Array;
  readonly distinct: readonly string[];

  constructor({ codes, distinct }: { codes: Int32Array; distinct: readonly string[] }) {
    this.codes = codes;
    this.distinct = distinct;
  }

  at(row: number): string {
    return this.distinct[this.codes[row]] ?? "";
  }

  /** The texts of `rows`, in their order. */
  of(rows: Int32Array): Texts {
    const codes = new Int32Array(rows.length);
    for (let row = 0; row < rows.length; row++) codes[row] = this.codes[rows[row]];
    return new Texts({ codes, distinct: this.distinct });
  }
}

export function textsOf(from: readonly string[]): Texts {
  const codes = new Int32Array(from.length);
  const distinct: string[] = [];
  const known = new Map<string, number>();
  for (let row = 0; row < from.length; row++) {
    const text = from[row];
    let code = known.get(text);
    if (code === undefined) {
      code = distinct.length;
      distinct.push(text);
      known.set(text, code);
    }
    codes[row] = code;
  }
  return new Texts({ codes, distinct });
}

/** The ids of rows, all different, and the way back from an id to its row. */
export class Ids {
  /** All ids, one after the other. */
  readonly text: string;
  /** Where each begins; one more for the end. */
  readonly offsets: Uint32Array;
  /** A hash table with open addressing: row + 1, or 0 where it is empty. Its length is a power of two. */
  readonly slots: Int32Array;

  constructor({ text, offsets, slots }: { text: string; offsets: Uint32Array; slots: Int32Array }) {
    this.text = text;
    this.offsets = offsets;
    this.slots = slots;
  }

  get length(): number {
    return this.offsets.length - 1;
  }

  at(row: number): string {
    return this.text.slice(this.offsets[row], this.offsets[row + 1]);
  }

  /** The row of an id, or -1. */
  rowOf(id: string): number {
    const last = this.slots.length - 1;
    for (let slot = hash(id) & last; this.slots[slot] !== 0; slot = (slot + 1) & last) {
      if (this.at(this.slots[slot] - 1) === id) return this.slots[slot] - 1;
    }
    return -1;
  }
}

/** The ids of `rows` (indexes into `from`), in their order. */
export function idsOf(from: readonly string[], rows: Int32Array): Ids {
  const count = rows.length;
  const picked = new Array<string>(count);
  const offsets = new Uint32Array(count + 1);
  let size = 4;
  while (size < count * 2) size *= 2;
  const slots = new Int32Array(size);
  for (let row = 0; row < count; row++) {
    const id = from[rows[row]];
    picked[row] = id;
    offsets[row + 1] = offsets[row] + id.length;
    let slot = hash(id) & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = row + 1;
  }
  return new Ids({ text: picked.join(""), offsets, slots });
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
