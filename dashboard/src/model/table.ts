/**
 * A session's events as columns, in the order in which a fully opened tree shows them: parents before children,
 * siblings by start. So row `i`'s subtree is rows `i` to `i + size[i] - 1`, and everything downstream is a scan.
 *
 * 50,000 events take some 40 ms to arrange; nothing here knows where they came from or where they are drawn.
 */

import { kindCode, STATUSES, statusCode } from "./kinds";
import { type Ids, idsOf, piecesOf, type Texts, textsOf } from "./texts";

/** Events in any order, column by column. Times are relative to a moment of the caller's. */
export interface EventColumns {
  ids: Ids;
  /** Empty at the top. */
  parents: Texts;
  kinds: Uint8Array;
  names: Texts;
  agents: Texts;
  statuses: Uint8Array;
  models: Texts;
  /** Milliseconds after that moment. */
  starts: Float64Array;
  /** Milliseconds; NaN while unknown. */
  durations: Float64Array;
  /** NaN when unknown. */
  costs: Float64Array;
  /** Input and output tokens together; NaN when both are unknown. */
  tokens: Float64Array;
  errors: Texts;
}

export interface EventTable {
  readonly count: number;
  readonly ids: Ids;
  readonly names: Texts;
  readonly agents: Texts;
  readonly models: Texts;
  /** What went wrong, in a line; empty when nothing did. */
  readonly errors: Texts;
  readonly kinds: Uint8Array;
  readonly statuses: Uint8Array;
  /** Milliseconds after the session's start. */
  readonly starts: Float64Array;
  /** Milliseconds; NaN while the event runs or when it was interrupted. */
  readonly durations: Float64Array;
  /** NaN when unknown. */
  readonly costs: Float64Array;
  /** NaN when unknown. */
  readonly tokens: Float64Array;
  /** Row of the parent, -1 at the top. */
  readonly parents: Int32Array;
  /** The ids of parents that are not here (yet), by row. */
  readonly absentParents: ReadonlyMap<number, string>;
  readonly depths: Uint16Array;
  /** Row of the last direct child, -1 without children. */
  readonly lastChildren: Int32Array;
  /** Rows of the subtree, the event itself included. */
  readonly sizes: Int32Array;
  /** Of the subtree: leaf calls' cost and tokens (NaN when none is known), and events in error. */
  readonly sumCosts: Float64Array;
  readonly sumTokens: Float64Array;
  readonly sumErrors: Int32Array;
  /** The largest known end, milliseconds after the session's start. */
  readonly end: number;
}

const CALLS: ReadonlySet<number> = new Set([kindCode("llm"), kindCode("embedding")]);
const TOOL = kindCode("tool");

export const STATUS_OK = statusCode("ok");
export const STATUS_ERROR = statusCode("error");
export const STATUS_RUNNING = statusCode("running");
export const STATUS_INTERRUPTED = statusCode("interrupted");

export function statusName(code: number): string {
  return STATUSES[code];
}

/** Arrange columns into a table. Unknown parents and parents in a circle put an event at the top. */
export function arrange(columns: EventColumns): EventTable {
  const count = columns.ids.length;
  const order = startOrder(columns.starts, count);
  const parentOf = resolveParents(columns);
  const { first, next } = childLists(order, parentOf, count);
  const { rows, depths } = preorder(order, parentOf, first, next, count);

  // Plain loops, here and below: callbacks and iterators cost several times as much on 50,000 rows.
  const rowOfInput = new Int32Array(count);
  for (let row = 0; row < count; row++) rowOfInput[rows[row]] = row;
  const numbers = (from: Float64Array): Float64Array => {
    const picked = new Float64Array(count);
    for (let row = 0; row < count; row++) picked[row] = from[rows[row]];
    return picked;
  };

  const starts = numbers(columns.starts);
  const durations = numbers(columns.durations);
  const kinds = new Uint8Array(count);
  const statuses = new Uint8Array(count);
  const parents = new Int32Array(count);
  const absentParents = new Map<number, string>();
  let end = 0;
  for (let row = 0; row < count; row++) {
    const input = rows[row];
    const parent = parentOf[input] < 0 ? columns.parents.at(input) : "";
    if (parent) absentParents.set(row, parent);
    kinds[row] = columns.kinds[input];
    statuses[row] = columns.statuses[input];
    parents[row] = parentOf[input] < 0 ? -1 : rowOfInput[parentOf[input]];
    end = Math.max(end, starts[row] + (Number.isNaN(durations[row]) ? 0 : durations[row]));
  }
  const costs = numbers(columns.costs);
  const tokens = numbers(columns.tokens);
  return {
    count,
    ids: columns.ids.of(rows, rowOfInput),
    names: columns.names.of(rows),
    agents: columns.agents.of(rows),
    models: columns.models.of(rows),
    errors: columns.errors.of(rows),
    kinds,
    statuses,
    starts,
    durations,
    costs,
    tokens,
    parents,
    absentParents,
    depths,
    ...sums({ count, parents, kinds, statuses, costs, tokens }),
    end,
  };
}

const NO_TEXTS = textsOf([]);
const NO_NUMBERS = new Float64Array();

export const EMPTY_TABLE: EventTable = arrange({
  ids: idsOf(piecesOf([])),
  parents: NO_TEXTS,
  kinds: new Uint8Array(),
  names: NO_TEXTS,
  agents: NO_TEXTS,
  statuses: new Uint8Array(),
  models: NO_TEXTS,
  starts: NO_NUMBERS,
  durations: NO_NUMBERS,
  costs: NO_NUMBERS,
  tokens: NO_NUMBERS,
  errors: NO_TEXTS,
});

function startOrder(starts: Float64Array, count: number): Int32Array {
  const order = new Int32Array(count);
  for (let input = 0; input < count; input++) order[input] = input;
  for (let input = 1; input < count; input++) {
    if (starts[input] < starts[input - 1]) return order.sort((a, b) => starts[a] - starts[b] || a - b);
  }
  return order;
}

function resolveParents({ ids, parents }: EventColumns): Int32Array {
  // Siblings share a parent: each is looked up once.
  const inputOfText = Int32Array.from(parents.distinct, (parent) => ids.rowOf(parent));
  const parentOf = new Int32Array(ids.length);
  for (let input = 0; input < ids.length; input++) {
    const found = inputOfText[parents.codes[input]];
    parentOf[input] = found === input ? -1 : found;
  }
  // Walk up from every event once; who meets its own walk again closes a circle, which is cut there.
  const seenIn = new Int32Array(ids.length).fill(-1);
  for (let input = 0; input < ids.length; input++) {
    let at = input;
    while (at >= 0 && seenIn[at] < 0) {
      seenIn[at] = input;
      const up = parentOf[at];
      if (up >= 0 && seenIn[up] === input) {
        parentOf[at] = -1;
        break;
      }
      at = up;
    }
  }
  return parentOf;
}

function childLists(order: Int32Array, parentOf: Int32Array, count: number) {
  const first = new Int32Array(count).fill(-1);
  const last = new Int32Array(count).fill(-1);
  const next = new Int32Array(count).fill(-1);
  for (let at = 0; at < count; at++) {
    const input = order[at];
    const parent = parentOf[input];
    if (parent < 0) continue;
    if (first[parent] < 0) first[parent] = input;
    else next[last[parent]] = input;
    last[parent] = input;
  }
  return { first, next };
}

function preorder(order: Int32Array, parentOf: Int32Array, first: Int32Array, next: Int32Array, count: number) {
  const rows = new Int32Array(count);
  const depths = new Uint16Array(count);
  let row = 0;
  for (let place = 0; place < count; place++) {
    const root = order[place];
    if (parentOf[root] >= 0) continue;
    let at = root;
    let depth = 0;
    while (at >= 0) {
      rows[row] = at;
      depths[row++] = Math.min(depth, 65535);
      if (first[at] >= 0) {
        at = first[at];
        depth++;
        continue;
      }
      while (at !== root && next[at] < 0) {
        at = parentOf[at];
        depth--;
      }
      at = at === root ? -1 : next[at];
    }
  }
  return { rows, depths };
}

/** Add what is known; unknown stays unknown until something is. */
function plus(into: Float64Array, at: number, value: number): void {
  if (!Number.isNaN(value)) into[at] = Number.isNaN(into[at]) ? value : into[at] + value;
}

/** Sum subtrees from the leaves up: a call that holds another call repeats it, so it does not count again. */
function sums(table: Pick<EventTable, "count" | "parents" | "kinds" | "statuses" | "costs" | "tokens">) {
  const { count, parents, kinds, statuses, costs, tokens } = table;
  const sizes = new Int32Array(count).fill(1);
  const lastChildren = new Int32Array(count).fill(-1);
  const sumCosts = new Float64Array(count).fill(Number.NaN);
  const sumTokens = new Float64Array(count).fill(Number.NaN);
  const sumErrors = new Int32Array(count);
  const holdsCall = new Uint8Array(count);
  for (let row = count - 1; row >= 0; row--) {
    const isCall = CALLS.has(kinds[row]);
    if (isCall && !holdsCall[row]) {
      plus(sumCosts, row, costs[row]);
      plus(sumTokens, row, tokens[row]);
    } else if (kinds[row] === TOOL) plus(sumCosts, row, costs[row]);
    if (statuses[row] === STATUS_ERROR) sumErrors[row]++;
    const parent = parents[row];
    if (parent < 0) continue;
    if (isCall || holdsCall[row]) holdsCall[parent] = 1;
    sizes[parent] += sizes[row];
    if (lastChildren[parent] < 0) lastChildren[parent] = row;
    plus(sumCosts, parent, sumCosts[row]);
    plus(sumTokens, parent, sumTokens[row]);
    sumErrors[parent] += sumErrors[row];
  }
  return { lastChildren, sizes, sumCosts, sumTokens, sumErrors };
}

/** When an event ends for drawing: one that runs reaches `now`; an interrupted one is known to no end but that. */
export function endOf(table: EventTable, row: number, now: number): number {
  const length = table.durations[row];
  return Number.isNaN(length) ? Math.max(now, table.starts[row]) : table.starts[row] + length;
}
