/** From the timeline route's bytes to a table: here when it is quick, in a worker when it would hold the page up. */

import type { Gap } from "../model/gaps";
import { longGaps } from "../model/gaps";
import { arrange, type EventTable } from "../model/table";
import { Ids, Texts } from "../model/texts";
import type { EpochMicros } from "../model/units";
import { timelineColumns } from "./timeline";
import type { Timeline } from "./types";

export interface SessionTimeline {
  readonly base: EpochMicros;
  readonly table: EventTable;
  readonly gaps: readonly Gap[];
}

/** What goes to the worker, and what comes back. */
export interface Task {
  readonly number: number;
  readonly answer: ArrayBuffer;
  readonly startedAt: string | null;
}
export interface Done {
  readonly number: number;
  readonly timeline?: SessionTimeline;
  readonly failure?: string;
}

/** Some 1,500 events: 5 ms of work. */
const LARGE = 300_000;
/** Reading an answer leaves garbage of several times its size, which goes with the thread. */
const HUGE = 30_000_000;

export function timelineOf(answer: ArrayBuffer, startedAt: string | null): SessionTimeline {
  const { base, columns } = timelineColumns(JSON.parse(new TextDecoder().decode(answer)) as Timeline, startedAt);
  const table = arrange(columns);
  return { base, table, gaps: longGaps(table) };
}

/** A copy from another thread has the values of a table, but not its methods. */
export function revived({ base, table, gaps }: SessionTimeline): SessionTimeline {
  return {
    base,
    gaps,
    table: {
      ...table,
      ids: new Ids(table.ids),
      names: new Texts(table.names),
      agents: new Texts(table.agents),
      models: new Texts(table.models),
      errors: new Texts(table.errors),
    },
  };
}

/** Numbers travel by handing over their memory. */
export function memoryOf({ table }: SessionTimeline): ArrayBuffer[] {
  const { ids, names, agents, models, errors } = table;
  return [table, ids, names, agents, models, errors].flatMap((part) =>
    Object.values(part).flatMap((value: unknown) => (ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : [])),
  );
}

interface Waiting {
  readonly resolve: (timeline: SessionTimeline) => void;
  readonly reject: (error: Error) => void;
}

let worker: Worker | null = null;
let numbers = 0;
const waiting = new Map<number, Waiting>();

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./arranging.worker.ts", import.meta.url), { type: "module", name: "arranging" });
  worker.addEventListener("message", ({ data: { number, timeline, failure } }: MessageEvent<Done>) => {
    const one = waiting.get(number);
    waiting.delete(number);
    if (timeline) one?.resolve(revived(timeline));
    else one?.reject(new Error(failure));
  });
  worker.addEventListener("error", () => {
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error("The events could not be arranged."));
    waiting.clear();
  });
  return worker;
}

/** Start the thread early: it loads while the answer travels. */
export function warmUp(): void {
  started();
}

export async function arrangeAnswer(answer: ArrayBuffer, startedAt: string | null): Promise<SessionTimeline> {
  if (answer.byteLength < LARGE) return timelineOf(answer, startedAt);
  const size = answer.byteLength;
  const number = ++numbers;
  const task: Task = { number, answer, startedAt };
  const thread = started();
  const timeline = await new Promise<SessionTimeline>((resolve, reject) => {
    waiting.set(number, { resolve, reject });
    thread.postMessage(task, [answer]);
  });
  if (size > HUGE && waiting.size === 0) {
    thread.terminate();
    worker = null;
  }
  return timeline;
}
