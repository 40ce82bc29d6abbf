/** The other side of thread.ts. */

import { memoryOf, revived, timelineOf } from "./arranging";
import type { Done, Task } from "./thread";

addEventListener("message", ({ data: { number, answer, ground } }: MessageEvent<Task>) => {
  let done: Done;
  try {
    done = { number, timeline: timelineOf(answer, { ...ground, known: ground.known && revived(ground.known) }) };
  } catch (error) {
    done = { number, failure: error instanceof Error ? error.message : String(error) };
  }
  postMessage(done, { transfer: done.timeline ? memoryOf(done.timeline) : [] });
});
