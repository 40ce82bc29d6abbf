/** Doing one thing to many, some of them at a time. */

/** Do a task with one part after the other, until it fails, which is thrown, or who asked wishes to stop. */
export async function inTurn<T>(parts: readonly T[], task: (part: T) => Promise<unknown>, isStopped: () => boolean = () => false): Promise<void> {
  for (const part of parts) {
    if (isStopped()) return;
    await task(part);
  }
}

/** All, in parts of no more than so many. */
export function inParts<T>(all: readonly T[], most: number): T[][] {
  return inWeighedParts(all, most, () => 1);
}

/** All, in parts that weigh no more than so much together; what weighs more is a part of its own. */
export function inWeighedParts<T>(all: readonly T[], most: number, weight: (one: T) => number): T[][] {
  const parts: T[][] = [];
  let heavy = most + 1;
  for (const one of all) {
    const added = weight(one);
    heavy += added;
    if (heavy > most) {
      parts.push([]);
      heavy = added;
    }
    parts[parts.length - 1].push(one);
  }
  return parts;
}
