/** Small tables for tests, written as a list of events. */

import { kindCode, statusCode } from "./kinds";
import { arrange, type EventColumns, type EventTable } from "./table";
import { idsOf, piecesOf, textsOf } from "./texts";

export interface Given {
  id: string;
  parent?: string | null;
  kind?: string;
  name?: string;
  agent?: string;
  model?: string;
  status?: string;
  start?: number;
  /** Absent: 10 ms. Null: it has not ended. */
  duration?: number | null;
  cost?: number | null;
  tokens?: number | null;
  error?: string;
}

export function columns(events: readonly Given[]): EventColumns {
  const texts = (of: (event: Given) => string) => textsOf(events.map(of));
  const numbers = (of: (event: Given) => number) => Float64Array.from(events, of);
  return {
    ids: idsOf(piecesOf(events.map((event) => event.id))),
    parents: texts((event) => event.parent ?? ""),
    kinds: Uint8Array.from(events, (event) => kindCode(event.kind ?? "operation")),
    names: texts((event) => event.name ?? event.id),
    agents: texts((event) => event.agent ?? ""),
    models: texts((event) => event.model ?? ""),
    statuses: Uint8Array.from(events, (event) => statusCode(event.status ?? "ok")),
    starts: numbers((event) => event.start ?? 0),
    durations: numbers((event) => (event.duration === undefined ? 10 : (event.duration ?? Number.NaN))),
    costs: numbers((event) => event.cost ?? Number.NaN),
    tokens: numbers((event) => event.tokens ?? Number.NaN),
    errors: texts((event) => event.error ?? ""),
  };
}

export function tableOf(events: readonly Given[]): EventTable {
  return arrange(columns(events));
}

/** An agent that calls a model, a tool that fails, and a model again; then another agent. */
export const SMALL: readonly Given[] = [
  { id: "work", kind: "operation", name: "Refund", start: 0, duration: 100 },
  { id: "plan", parent: "work", kind: "agent", name: "planner", start: 1, duration: 60 },
  { id: "call1", parent: "plan", kind: "llm", name: "chat gpt-4o", model: "gpt-4o", agent: "planner", start: 2, duration: 20, cost: 0.002, tokens: 100 },
  { id: "tool", parent: "plan", kind: "tool", name: "lookup", agent: "planner", start: 23, duration: 7, status: "error", error: "TimeoutError: slow" },
  { id: "call2", parent: "plan", kind: "llm", name: "chat gpt-4o", model: "gpt-4o", agent: "planner", start: 31, duration: 25, cost: 0.003, tokens: 150 },
  { id: "act", parent: "work", kind: "agent", name: "executor", start: 62, duration: 30 },
];
