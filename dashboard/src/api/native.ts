/**
 * ClickHouse's Native format, as far as the server writes it: blocks of columns, each of texts, of texts by number
 * (LowCardinality), or of Float64. Numbers lie as in memory, so a column is one copy.
 */

import { joined, numbersIn, type Pieces, piecesOf, Texts } from "../model/texts";

/** Columns of an answer by name; all of one length. */
export interface NativeColumns {
  readonly count: number;
  pieces(name: string): Pieces;
  coded(name: string): Texts;
  numbers(name: string): Float64Array<ArrayBuffer>;
}

type Column = Pieces | Texts | Float64Array<ArrayBuffer>;

interface Block {
  readonly count: number;
  readonly columns: ReadonlyMap<string, Column>;
}

/** @throws Error when the bytes are of another shape. */
export function readNative(bytes: ArrayBuffer): NativeColumns {
  const reader = new Reader(bytes);
  const blocks: Block[] = [];
  while (!reader.ended) blocks.push(block(reader));
  const count = blocks.reduce((sum, one) => sum + one.count, 0);
  const parts = <T>(name: string, isOf: (column: unknown) => column is T): T[] =>
    blocks.map(({ columns }) => {
      const column = columns.get(name);
      if (!isOf(column)) throw new Error(`The server's answer has no usable column ${name}.`);
      return column;
    });
  return {
    count,
    pieces: (name) => joined(parts(name, isPieces)),
    coded: (name) => together(parts(name, (column) => column instanceof Texts), count),
    numbers(name) {
      const all = parts(name, (column): column is Float64Array<ArrayBuffer> => column instanceof Float64Array);
      if (all.length === 1) return all[0];
      const numbers = new Float64Array(count);
      let at = 0;
      for (const one of all) {
        numbers.set(one, at);
        at += one.length;
      }
      return numbers;
    },
  };
}

function isPieces(column: unknown): column is Pieces {
  return typeof column === "object" && column !== null && "begins" in column;
}

function block(reader: Reader): Block {
  const width = reader.size();
  const count = reader.size();
  const columns = new Map<string, Column>();
  for (let column = 0; column < width; column++) {
    const name = reader.text();
    columns.set(name, values(reader, name, reader.text(), count));
  }
  return { count, columns };
}

function values(reader: Reader, name: string, type: string, count: number) {
  if (type === "String") return reader.pieces(count);
  if (type === "Float64") return new Float64Array(reader.taken(count * 8));
  if (type === "LowCardinality(String)") return coded(reader, count);
  throw new Error(`The server's answer has a column ${name} of type ${type}.`);
}

const WIDTHS = [Uint8Array, Uint16Array, Uint32Array] as const;

/** A version, how wide the numbers are, the texts, and a number for each row. */
function coded(reader: Reader, count: number): Texts {
  if (count === 0) return new Texts({ codes: new Int32Array(), distinct: [] });
  reader.long();
  const width = WIDTHS.at(reader.long() & 0xff);
  if (width === undefined) throw new Error("The server's answer numbers more texts than there can be.");
  const { text, begins, ends } = reader.pieces(reader.long());
  const distinct = Array.from(begins, (begin, row) => text.slice(begin, ends[row]));
  const numbered = reader.long();
  return new Texts({ codes: new Int32Array(new width(reader.taken(numbered * width.BYTES_PER_ELEMENT))), distinct });
}

/** Each block numbers its texts anew. */
function together(parts: readonly Texts[], count: number): Texts {
  if (parts.length === 1) return parts[0];
  const codes = new Int32Array(count);
  const known = new Map<string, number>();
  let at = 0;
  for (const part of parts) {
    const now = numbersIn(known, part.distinct);
    for (let row = 0; row < part.codes.length; row++) codes[at++] = now[part.codes[row]];
  }
  return new Texts({ codes, distinct: [...known.keys()] });
}

class Reader {
  private at = 0;
  private readonly bytes: Uint8Array<ArrayBuffer>;
  /** Nothing of a text goes, not even a mark of byte order at its beginning. */
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(bytes: ArrayBuffer) {
    this.bytes = new Uint8Array(bytes);
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** A length: seven bits a byte, the lowest first. */
  size(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw cut();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  /** A UInt64 that is known to be small. */
  long(): number {
    const view = new DataView(this.taken(8));
    return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  }

  taken(length: number): ArrayBuffer {
    if (this.at + length > this.bytes.length) throw cut();
    this.at += length;
    return this.bytes.buffer.slice(this.at - length, this.at);
  }

  text(): string {
    const length = this.size();
    return this.decoder.decode(this.taken(length));
  }

  /** Texts decoded in one go, where a byte is a character. */
  pieces(count: number): Pieces {
    const origin = this.at;
    const begins = new Uint32Array(count);
    const ends = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      const length = this.size();
      begins[row] = this.at - origin;
      this.at += length;
      ends[row] = this.at - origin;
    }
    if (this.at > this.bytes.length) throw cut();
    const region = this.bytes.subarray(origin, this.at);
    const text = this.decoder.decode(region);
    if (text.length === region.length) return { text, begins, ends };
    return piecesOf(Array.from(begins, (begin, row) => this.decoder.decode(region.subarray(begin, ends[row]))));
  }
}

function cut(): Error {
  return new Error("The server's answer was cut off.");
}
