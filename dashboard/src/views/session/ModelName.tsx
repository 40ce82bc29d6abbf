/** The model of a call, beside the event's name wherever that does not say it. */

import { modelOf } from "../../model/naming";
import type { EventTable } from "../../model/table";
import { oneLine, visible } from "../../model/visible";

export function ModelName({ table, row }: { table: EventTable; row: number }) {
  const model = row < 0 ? "" : modelOf(table, row);
  return model ? (
    <span className="model aside" title={visible(table.models.at(row))}>
      {oneLine(model, 40)}
    </span>
  ) : null;
}
