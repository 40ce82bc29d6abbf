/** The thread that arranges large answers beside the page. Started by the page's entry: a page that is one file has none. */

import { type Arrange, arrangeIn, type Ground, revived, type SessionTimeline } from "./arranging";

/** What goes to the worker, and what comes back. */
export interface Task {
  readonly number: number;
  readonly answer: ArrayBuffer;
  readonly ground: Ground;
}
export interface Done {
  readonly number: number;
  readonly timeline?: SessionTimeline;
  readonly failure?: string;
}

/** Reading an answer leaves garbage of several times its size, which goes with the thread. */
const HUGE = 30_000_000;

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

const elsewhere: Arrange = async (answer, ground) => {
  const size = answer.byteLength;
  const number = ++numbers;
  const task: Task = { number, answer, ground };
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
};

/** Give large answers to the thread. With `early` it loads at once, while the first answer travels. */
export function startThread(early: boolean): void {
  arrangeIn(elsewhere);
  if (early) started();
}
