/** A zip archive joined of others as they come from the server: what is in them stays packed, and outside of the page. */

const ENTRY = 0x02014b50;
const END = 0x06054b50;
const END_LENGTH = 22;
const MOST_BYTES = 2 ** 32 - 1;
const MOST_FILES = 2 ** 16 - 1;

export class Archive {
  private readonly files: Blob[] = [];
  private readonly entries: Uint8Array<ArrayBuffer>[] = [];
  private size = 0;
  private entriesSize = 0;
  /** Files in it. */
  count = 0;

  /**
   * Take the files of another archive; their names must be others than those in here.
   * @throws Error when it was cut off, or all of it would be more than an archive can hold.
   */
  add(zip: ArrayBuffer): void {
    const { count, entriesAt, entriesSize } = ending(zip);
    const entries = new Uint8Array(zip.slice(entriesAt, entriesAt + entriesSize));
    const moved = new DataView(entries.buffer);
    for (let at = 0; at < entriesSize; at += 46 + moved.getUint16(at + 28, true) + moved.getUint16(at + 30, true) + moved.getUint16(at + 32, true)) {
      if (moved.getUint32(at, true) !== ENTRY) throw cut();
      moved.setUint32(at + 42, moved.getUint32(at + 42, true) + this.size, true);
    }
    this.files.push(new Blob([new Uint8Array(zip, 0, entriesAt)]));
    this.entries.push(entries);
    this.size += entriesAt;
    this.entriesSize += entriesSize;
    this.count += count;
    if (this.size + this.entriesSize > MOST_BYTES || this.count > MOST_FILES) {
      throw new Error("An archive holds 4 GB at the most. Export fewer sessions at once.");
    }
  }

  finished(): Blob {
    const end = new DataView(new ArrayBuffer(END_LENGTH));
    end.setUint32(0, END, true);
    end.setUint16(8, this.count, true);
    end.setUint16(10, this.count, true);
    end.setUint32(12, this.entriesSize, true);
    end.setUint32(16, this.size, true);
    return new Blob([...this.files, ...this.entries, end], { type: "application/zip" });
  }
}

function ending(zip: ArrayBuffer): { count: number; entriesAt: number; entriesSize: number } {
  if (zip.byteLength < END_LENGTH) throw cut();
  const end = new DataView(zip, zip.byteLength - END_LENGTH);
  const [entriesSize, entriesAt] = [end.getUint32(12, true), end.getUint32(16, true)];
  if (end.getUint32(0, true) !== END || entriesAt + entriesSize + END_LENGTH !== zip.byteLength) throw cut();
  return { count: end.getUint16(10, true), entriesAt, entriesSize };
}

function cut(): Error {
  return new Error("The server's answer was cut off.");
}
