/** The timeline route's answer as the model's columns. */

import { kindCode, statusCode } from "../model/kinds";
import type { EventColumns } from "../model/table";
import { idsOf, piecesOf, type Texts, textsOf } from "../model/texts";
import { epochMicros, type EpochMicros, type Millis } from "../model/units";
import { readNative } from "./native";
import type { Timeline } from "./types";

export interface BasedColumns {
  /** The moment that `starts` count from: the session's start, or its first event's when a clock put that earlier. */
  readonly base: EpochMicros;
  readonly columns: EventColumns;
}

/** With `from` the columns are counted from that moment, whatever starts first. */
export function based(columns: EventColumns, startedAt: string | null, from?: EpochMicros): BasedColumns {
  const started = startedAt === null ? 0 : epochMicros(startedAt);
  let earliest: Millis = 0;
  if (from !== undefined) earliest = (from - started) / 1000;
  else for (let row = 0; row < columns.starts.length; row++) earliest = Math.min(earliest, columns.starts[row]);
  const starts = earliest !== 0 ? columns.starts.map((start) => start - earliest) : columns.starts;
  return { base: started + earliest * 1000, columns: { ...columns, starts } };
}

/** What a server answers (`fields=drawing`). */
export function drawnColumns(answer: ArrayBuffer): EventColumns {
  const told = readNative(answer);
  return {
    ids: idsOf(told.pieces("event_id")),
    parents: told.coded("parent_id"),
    kinds: numbered(told.coded("kind"), kindCode),
    names: told.coded("name"),
    agents: told.coded("agent"),
    statuses: numbered(told.coded("status"), statusCode),
    models: told.coded("model"),
    starts: told.numbers("start_ms"),
    durations: told.numbers("duration_ms"),
    costs: told.numbers("cost_usd"),
    tokens: told.numbers("tokens_total"),
    errors: told.coded("error"),
  };
}

/** What a page that is one file answers itself. */
export function writtenColumns(answer: Timeline): EventColumns {
  const texts = (values: readonly (string | null)[]) => textsOf(values.map((value) => value ?? ""));
  const numbers = (values: readonly (number | null)[]) => Float64Array.from(values, (value) => value ?? Number.NaN);
  return {
    ids: idsOf(piecesOf(answer.event_id)),
    parents: texts(answer.parent_id),
    kinds: Uint8Array.from(answer.kind, kindCode),
    names: texts(answer.name),
    agents: texts(answer.agent),
    statuses: Uint8Array.from(answer.status, statusCode),
    models: texts(answer.model),
    starts: numbers(answer.start_ms),
    durations: numbers(answer.duration_ms),
    costs: numbers(answer.cost_usd),
    tokens: numbers(answer.tokens_total),
    errors: textsOf(answer.error_type.map((type, row) => errorText(type, answer.error_message[row]))),
  };
}

function numbered(texts: Texts, numberOf: (text: string) => number): Uint8Array {
  const numbers = Uint8Array.from(texts.distinct, numberOf);
  const found = new Uint8Array(texts.codes.length);
  for (let row = 0; row < found.length; row++) found[row] = numbers[texts.codes[row]];
  return found;
}

function errorText(type: string | null, message: string | null): string {
  if (!type) return message ?? "";
  return message ? `${type}: ${message}` : type;
}
