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

practise();

/** Arrange invented events while the first answer travels: code that has run a few times runs several times as fast. */
function practise(): void {
  const count = 800;
  const of = <T>(value: (row: number) => T): T[] => Array.from({ length: count }, (_, row) => value(row));
  const id = (row: number) => row.toString(16).padStart(16, "0");
  const invented = JSON.stringify({
    event_id: of(id),
    parent_id: of((row) => (row % 20 ? id(row - (row % 20)) : null)),
    kind: of((row) => (row % 2 ? "llm" : "tool")),
    name: of((row) => `event ${row % 30}`),
    agent: of((row) => (row % 3 ? "agent" : null)),
    start_ms: of((row) => row + 0.5),
    duration_ms: of((row) => (row % 50 ? 1.5 : null)),
    status: of((row) => (row % 40 ? "ok" : "error")),
    model: of((row) => (row % 2 ? "model" : null)),
    tokens_total: of((row) => (row % 2 ? row : null)),
    cost_usd: of((row) => (row % 2 ? row / 1e6 : null)),
    error_type: of((row) => (row % 40 ? null : "Error")),
    error_message: of(() => null),
  });
  const answer = new TextEncoder().encode(invented).buffer;
  for (let turn = 0; turn < 12; turn++) timelineOf(answer, { startedAt: null, isJson: true });
}
