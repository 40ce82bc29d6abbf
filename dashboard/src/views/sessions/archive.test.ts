import { unzipSync } from "fflate";
import { expect, test } from "vitest";
import { Archive } from "./archive";

test("an archive holds every file as it was, none too", async () => {
  const archive = new Archive();
  const files = { "a.json": new TextEncoder().encode('{"a":1}'), "empty.csv": new Uint8Array(), "b.bin": new Uint8Array(20_000).fill(7) };
  for (const [name, bytes] of Object.entries(files)) archive.add(name, bytes);
  expect("a.json" in archive.taken).toBe(true);
  const packed = archive.finished();
  expect(packed.size).toBeLessThan(1_000);
  expect(unzipSync(new Uint8Array(await packed.arrayBuffer()))).toEqual(files);
  expect(unzipSync(new Uint8Array(await new Archive().finished().arrayBuffer()))).toEqual({});
});
