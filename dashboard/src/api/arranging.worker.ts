/** The other thread of arranging.ts. */

import { type Done, memoryOf, type Task, timelineOf } from "./arranging";

addEventListener("message", ({ data: { number, answer, startedAt } }: MessageEvent<Task>) => {
  let done: Done;
  try {
    done = { number, timeline: timelineOf(answer, startedAt) };
  } catch (error) {
    done = { number, failure: error instanceof Error ? error.message : String(error) };
  }
  postMessage(done, { transfer: done.timeline ? memoryOf(done.timeline) : [] });
});
