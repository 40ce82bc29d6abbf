/** A table and what arrived since, as one table: an event that is told again replaces itself. */

import { KINDS, STATUSES } from "./kinds";
import { arrange, type EventColumns, type EventTable } from "./table";

export function grown(table: EventTable, news: EventColumns): EventTable {
  const columns = columnsOf(table);
  for (let input = 0; input < news.ids.length; input++) {
    const known = table.ids.rowOf(news.ids[input]);
    const at = known < 0 ? columns.ids.length : known;
    columns.ids[at] = news.ids[input];
    columns.parents[at] = news.parents[input];
    columns.kinds[at] = news.kinds[input];
    columns.names[at] = news.names[input];
    columns.agents[at] = news.agents[input];
    columns.statuses[at] = news.statuses[input];
    columns.models[at] = news.models[input];
    columns.starts[at] = news.starts[input];
    columns.durations[at] = news.durations[input];
    columns.costs[at] = news.costs[input];
    columns.tokens[at] = news.tokens[input];
    columns.errors[at] = news.errors[input];
  }
  return arrange(columns);
}

/** What `arrange` was given, in the order of the rows. */
function columnsOf(table: EventTable): EventColumns & { starts: number[] } {
  const rows = Array.from({ length: table.count }, (_, row) => row);
  const known = (values: Float64Array) => Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  return {
    ids: rows.map((row) => table.ids.at(row)),
    parents: rows.map((row) => (table.parents[row] < 0 ? (table.absentParents.get(row) ?? null) : table.ids.at(table.parents[row]))),
    kinds: Array.from(table.kinds, (kind) => KINDS[kind]),
    names: rows.map((row) => table.names.at(row)),
    agents: rows.map((row) => table.agents.at(row)),
    statuses: Array.from(table.statuses, (status) => STATUSES[status]),
    models: rows.map((row) => table.models.at(row)),
    starts: Array.from(table.starts),
    durations: known(table.durations),
    costs: known(table.costs),
    tokens: known(table.tokens),
    errors: rows.map((row) => table.errors.at(row)),
  };
}
