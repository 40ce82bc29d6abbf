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

/** The number of each text in a dictionary, which takes up those that are new to it. */
export function numbersIn(known: Map<string, number>, texts: readonly string[]): Int32Array {
  const numbers = new Int32Array(texts.length);
  for (let row = 0; row < texts.length; row++) {
    let number = known.get(texts[row]);
    if (number === undefined) {
      number = known.size;
      known.set(texts[row], number);
    }
    numbers[row] = number;
  }
  return numbers;
}

export function textsOf(from: readonly string[]): Texts {
  const known = new Map<string, number>();
  const codes = numbersIn(known, from);
  return new Texts({ codes, distinct: [...known.keys()] });
}

/** Pieces of one text, one after the other or in any order. */
export interface Pieces {
  readonly text: string;
  readonly begins: Uint32Array;
  readonly ends: Uint32Array;
}

export function piecesOf(texts: readonly string[]): Pieces {
  const begins = new Uint32Array(texts.length);
  const ends = new Uint32Array(texts.length);
  let at = 0;
  for (let row = 0; row < texts.length; row++) {
    begins[row] = at;
    ends[row] = at += texts[row].length;
  }
  return { text: texts.join(""), begins, ends };
}

/** Pieces of several texts as pieces of one. */
export function joined(parts: readonly Pieces[]): Pieces {
  if (parts.length === 1) return parts[0];
  const count = parts.reduce((sum, part) => sum + part.begins.length, 0);
  const [begins, ends] = [new Uint32Array(count), new Uint32Array(count)];
  let [row, at] = [0, 0];
  for (const part of parts) {
    for (let input = 0; input < part.begins.length; input++, row++) {
      begins[row] = part.begins[input] + at;
      ends[row] = part.ends[input] + at;
    }
    at += part.text.length;
  }
  return { text: parts.map((part) => part.text).join(""), begins, ends };
}

/** The ids of rows, all different, and the way back from an id to its row. No id is a string of its own. */
export class Ids implements Pieces {
  readonly text: string;
  readonly begins: Uint32Array;
  readonly ends: Uint32Array;
  /** A hash table with open addressing: row + 1, or 0 where it is empty. Its length is a power of two. */
  readonly slots: Int32Array;

  constructor({ text, begins, ends, slots }: Pieces & { slots: Int32Array }) {
    this.text = text;
    this.begins = begins;
    this.ends = ends;
    this.slots = slots;
  }

  get length(): number {
    return this.begins.length;
  }

  at(row: number): string {
    return this.text.slice(this.begins[row], this.ends[row]);
  }

  /** The row of an id, or -1. */
  rowOf(id: string): number {
    const last = this.slots.length - 1;
    for (let slot = hash(id, 0, id.length) & last; this.slots[slot] !== 0; slot = (slot + 1) & last) {
      if (this.at(this.slots[slot] - 1) === id) return this.slots[slot] - 1;
    }
    return -1;
  }

  /** The ids of `rows`, in their order; `places` says where each of ours is among them. */
  of(rows: Int32Array, places: Int32Array): Ids {
    const begins = new Uint32Array(rows.length);
    const ends = new Uint32Array(rows.length);
    for (let row = 0; row < rows.length; row++) {
      begins[row] = this.begins[rows[row]];
      ends[row] = this.ends[rows[row]];
    }
    const slots = new Int32Array(this.slots.length);
    for (let slot = 0; slot < slots.length; slot++) {
      const row = this.slots[slot];
      if (row !== 0) slots[slot] = places[row - 1] + 1;
    }
    return new Ids({ text: this.text, begins, ends, slots });
  }
}

export function idsOf({ text, begins, ends }: Pieces): Ids {
  let size = 4;
  while (size < begins.length * 2) size *= 2;
  const slots = new Int32Array(size);
  for (let row = 0; row < begins.length; row++) {
    let slot = hash(text, begins[row], ends[row]) & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = row + 1;
  }
  return new Ids({ text, begins, ends, slots });
}

/** FNV-1a. */
function hash(text: string, begin: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = begin; at < end; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
