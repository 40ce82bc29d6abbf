import { unzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { Archive } from "./archive";

function zip(files: Record<string, Uint8Array>): ArrayBuffer {
  return zipSync(files).slice().buffer;
}

test("archives are joined into one that holds every file as it was, none too", async () => {
  const archive = new Archive();
  const first = { "a.json": new TextEncoder().encode('{"a":1}'), "empty.csv": new Uint8Array() };
  const last = { "b.bin": new Uint8Array(20_000).fill(7) };
  for (const files of [first, {}, last]) archive.add(zip(files));
  expect(archive.count).toBe(3);
  const packed = archive.finished();
  expect(packed.size).toBeLessThan(1_000);
  expect(unzipSync(new Uint8Array(await packed.arrayBuffer()))).toEqual({ ...first, ...last });
  expect(unzipSync(new Uint8Array(await new Archive().finished().arrayBuffer()))).toEqual({});
});

test("an archive that was cut off is refused", () => {
  const whole = zip({ "a.json": new Uint8Array(100) });
  for (const length of [0, 30, whole.byteLength - 1]) {
    expect(() => new Archive().add(whole.slice(0, length))).toThrow("cut off");
  }
});
