/** A zip file that grows file by file: what is in it is packed already, and kept by the browser outside of the page. */

import { Zip, ZipDeflate } from "fflate";

export class Archive {
  private readonly names: Record<string, true> = {};
  private readonly files: Blob[] = [];
  private fresh: Uint8Array<ArrayBuffer>[] = [];
  private failure: Error | null = null;
  private readonly zip = new Zip((error, data) => {
    this.failure ??= error;
    this.fresh.push(data as Uint8Array<ArrayBuffer>);
  });

  /** The names that are taken. */
  get taken(): object {
    return this.names;
  }

  add(name: string, bytes: Uint8Array): void {
    this.names[name] = true;
    const file = new ZipDeflate(name, { level: 1 });
    this.zip.add(file);
    file.push(bytes, true);
    this.files.push(this.packed());
  }

  finished(): Blob {
    this.zip.end();
    return new Blob([...this.files, this.packed()], { type: "application/zip" });
  }

  private packed(): Blob {
    if (this.failure) throw this.failure;
    const blob = new Blob(this.fresh);
    this.fresh = [];
    return blob;
  }
}
