/** The timeline route's answer as the model's columns. */

import type { EventColumns } from "../model/table";
import { epochMicros, type EpochMicros, type Millis } from "../model/units";
import type { Timeline } from "./types";

export interface BasedColumns {
  /** The moment that `starts` count from: the session's start, or its first event's when a clock put that earlier. */
  readonly base: EpochMicros;
  readonly columns: EventColumns;
}

function errorText(type: string | null, message: string | null): string {
  if (!type) return message ?? "";
  return message ? `${type}: ${message}` : type;
}

/** With `from` the columns are counted from that moment, whatever starts first. */
export function timelineColumns(answer: Timeline, startedAt: string | null, from?: EpochMicros): BasedColumns {
  const started = startedAt === null ? 0 : epochMicros(startedAt);
  let earliest: Millis = 0;
  if (from !== undefined) earliest = (from - started) / 1000;
  else for (const start of answer.start_ms) if (start < earliest) earliest = start;
  return {
    base: started + earliest * 1000,
    columns: {
      ids: answer.event_id,
      parents: answer.parent_id,
      kinds: answer.kind,
      names: answer.name,
      agents: answer.agent.map((agent) => agent ?? ""),
      statuses: answer.status,
      models: answer.model.map((model) => model ?? ""),
      starts: earliest !== 0 ? answer.start_ms.map((start) => start - earliest) : answer.start_ms,
      durations: answer.duration_ms,
      costs: answer.cost_usd,
      tokens: answer.tokens_total,
      errors: answer.error_type.map((type, index) => errorText(type, answer.error_message[index])),
    },
  };
}
