/** A table and what arrived since, as one table: an event that is told again replaces itself. */

import { arrange, type EventColumns, type EventTable } from "./table";
import { idsOf, joined, numbersIn, piecesOf, Texts, textsOf } from "./texts";

export function grown(table: EventTable, news: EventColumns): EventTable {
  const known = columnsOf(table);
  const fresh: string[] = [];
  const places = Int32Array.from({ length: news.ids.length }, (_, input) => {
    const id = news.ids.at(input);
    const row = table.ids.rowOf(id);
    return row < 0 ? table.count + fresh.push(id) - 1 : row;
  });
  const count = table.count + fresh.length;
  const numbers = (before: Float64Array, after: Float64Array) => placed(new Float64Array(count), before, after, places);
  const codes = (before: Uint8Array, after: Uint8Array) => placed(new Uint8Array(count), before, after, places);
  return arrange({
    ids: idsOf(joined([table.ids, piecesOf(fresh)])),
    parents: placedTexts(known.parents, news.parents, places, count),
    kinds: codes(known.kinds, news.kinds),
    names: placedTexts(known.names, news.names, places, count),
    agents: placedTexts(known.agents, news.agents, places, count),
    statuses: codes(known.statuses, news.statuses),
    models: placedTexts(known.models, news.models, places, count),
    starts: numbers(known.starts, news.starts),
    durations: numbers(known.durations, news.durations),
    costs: numbers(known.costs, news.costs),
    tokens: numbers(known.tokens, news.tokens),
    errors: placedTexts(known.errors, news.errors, places, count),
  });
}

/** What was there before, and what is new at its places. */
function placed<T extends Float64Array | Uint8Array | Int32Array>(into: T, before: T, after: T, places: Int32Array): T {
  into.set(before);
  for (let input = 0; input < places.length; input++) into[places[input]] = after[input];
  return into;
}

function placedTexts(before: Texts, after: Texts, places: Int32Array, count: number): Texts {
  const known = new Map<string, number>();
  numbersIn(known, before.distinct);
  const now = numbersIn(known, after.distinct);
  const codes = placed(new Int32Array(count), before.codes, after.codes.map((code) => now[code]), places);
  return new Texts({ codes, distinct: [...known.keys()] });
}

/** What `arrange` was given, in the order of the rows. */
function columnsOf(table: EventTable): EventColumns {
  const rows = Array.from({ length: table.count }, (_, row) => row);
  return {
    ...table,
    parents: textsOf(rows.map((row) => (table.parents[row] < 0 ? (table.absentParents.get(row) ?? "") : table.ids.at(table.parents[row])))),
  };
}
