/** Doing one thing to many, and naming the files that come of it. */

/** Run a task for each, a few at once; a failure, which is thrown, and a wish to stop hold up what has not begun. */
export async function inTurn<T>(
  all: readonly T[],
  task: (one: T) => Promise<unknown>,
  atOnce: number,
  onDone?: (count: number) => void,
  isStopped: () => boolean = () => false,
): Promise<void> {
  let next = 0;
  let done = 0;
  let failed = false;
  const lane = async () => {
    while (next < all.length && !failed && !isStopped()) {
      const one = all[next++];
      try {
        await task(one);
      } catch (error) {
        failed = true;
        throw error;
      }
      onDone?.(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, lane));
}

/** All, in parts of no more than so many. */
export function inParts<T>(all: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, part) => all.slice(part * most, (part + 1) * most));
}

const ENDINGS: Record<string, string> = { otlp: "otlp.json" };

/** A file's name for a session of any id, different from those that are taken. */
export function fileName(id: string, format: string, taken: object): string {
  const stem = `session-${id.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 100)}`;
  const ending = ENDINGS[format] ?? format;
  let name = `${stem}.${ending}`;
  for (let number = 2; name in taken; number++) name = `${stem}-${number}.${ending}`;
  return name;
}
