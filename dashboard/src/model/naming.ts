/** What a call is called beside its event's name: recorders name calls "ChatCompletion"; a reader looks for the model. */

import type { EventTable } from "./table";

/** The model without the date and path that its maker adds: `gpt-4.1-mini-2025-04-14` is `gpt-4.1-mini`. */
export function shortModel(model: string): string {
  const last = model.slice(model.lastIndexOf("/") + 1);
  return last.replace(/[-@](?:\d{4}-\d{2}-\d{2}|\d{8})(?:-v\d+(?::\d+)?)?$/, "") || model;
}

/** The model to show beside a name, short; empty when the name says it already, or there is none. */
export function modelBeside(name: string, model: string): string {
  if (!model) return "";
  const short = shortModel(model);
  const says = name.split(/[\s:()]+/).some((word) => shortModel(word).toLowerCase() === short.toLowerCase());
  return says ? "" : short;
}

export function modelOf(table: EventTable, row: number): string {
  return modelBeside(table.names.at(row), table.models.at(row));
}
