/** From the timeline route's bytes to a table: here when it is quick, in a worker when it would hold the page up. */

import type { Gap } from "../model/gaps";
import { longGaps } from "../model/gaps";
import { grown } from "../model/growth";
import { arrange, type EventTable } from "../model/table";
import { Ids, Texts } from "../model/texts";
import type { EpochMicros } from "../model/units";
import { based, drawnColumns, writtenColumns } from "./timeline";
import type { Timeline } from "./types";

export interface SessionTimeline {
  readonly base: EpochMicros;
  readonly table: EventTable;
  readonly gaps: readonly Gap[];
}

/** What is known already, and the moment of the session's start: what an answer is counted from. */
export interface Ground {
  readonly startedAt: string | null;
  /** Whether it is JSON: a page that is one file answers itself so. */
  readonly isJson?: boolean;
  /** The table that the answer only adds to. */
  readonly known?: SessionTimeline;
}

/** Some 2,000 events: 5 ms of work. */
const LARGE = 120_000;
const MANY = 3_000;

export function timelineOf(answer: ArrayBuffer, { startedAt, isJson, known }: Ground): SessionTimeline {
  const told = isJson ? writtenColumns(JSON.parse(new TextDecoder().decode(answer)) as Timeline) : drawnColumns(answer);
  const { base, columns } = based(told, startedAt, known?.base);
  const table = known ? grown(known.table, columns) : arrange(columns);
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

/** Arrange an answer somewhere. */
export type Arrange = (answer: ArrayBuffer, ground: Ground) => Promise<SessionTimeline>;

let aside: Arrange | null = null;

/** Arrange large answers elsewhere. */
export function arrangeIn(other: Arrange): void {
  aside = other;
}

export async function arrangeAnswer(answer: ArrayBuffer, ground: Ground): Promise<SessionTimeline> {
  const isLarge = answer.byteLength >= LARGE || (ground.known?.table.count ?? 0) >= MANY;
  return aside !== null && isLarge ? aside(answer, ground) : timelineOf(answer, ground);
}
