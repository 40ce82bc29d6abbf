/** The line above timeline, tree and messages: kinds to switch on and off, the ruler, folding, and the search. */

import { type RefObject, useMemo } from "react";
import { grouped } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { closedBelow, closedButErrors, closedOfKind, holdingKinds } from "../../model/outline";
import type { EventTable } from "../../model/table";
import { Menu } from "../../ui/controls";
import { KindMark } from "../../ui/marks";
import { SearchField } from "../../ui/SearchField";
import type { SessionSearch } from "./search";

interface Props {
  table: EventTable;
  input: RefObject<HTMLInputElement | null>;
  find: string;
  /** How many events match; null while nothing is searched for. */
  matches: number | null;
  hidden: ReadonlySet<string>;
  ruler: SessionSearch["ruler"];
  view: "timeline" | "tree" | "messages";
  onChange: (change: Partial<SessionSearch>) => void;
  onNext: () => void;
  onFold: (closed: ReadonlySet<string>) => void;
}

export function FindBar({ table, input, find, matches, hidden, ruler, view, onChange, onNext, onFold }: Props) {
  const counts = useMemo(() => {
    const found = new Array<number>(KINDS.length).fill(0);
    for (const kind of table.kinds) found[kind]++;
    return found;
  }, [table]);
  const toggle = (kind: string) => {
    const next = KINDS.filter((one) => hidden.has(one) !== (one === kind));
    onChange({ hide: next.length > 0 ? [...next] : undefined });
  };
  return (
    <div className="find-bar">
      <div className="legend" role="group" aria-label="Kinds">
        {KINDS.map((kind, code) =>
          counts[code] > 0 && view !== "messages" ? (
            <button
              key={kind}
              type="button"
              aria-pressed={!hidden.has(kind)}
              title={`${grouped(counts[code])} ${kind}: ${hidden.has(kind) ? "show" : "hide"}`}
              onClick={() => toggle(kind)}
            >
              <KindMark kind={kind} />
              {kind}
            </button>
          ) : null,
        )}
      </div>
      <span className="grow" />
      {view === "timeline" ? (
        <Menu className="btn quiet" label={<>{ruler ?? "relative"} <span aria-hidden="true">▾</span></>} align="right" name={`Ruler: ${ruler ?? "relative"}`}>
          {(close) => (
            <div className="facet-list">
              {(["relative", "clock"] as const).map((name) => (
                <button
                  key={name}
                  type="button"
                  className="option"
                  aria-pressed={(ruler ?? "relative") === name}
                  onClick={() => {
                    onChange({ ruler: name === "clock" ? "clock" : undefined });
                    close();
                  }}
                >
                  {name === "clock" ? "Clock time" : "Relative to the start"}
                </button>
              ))}
            </div>
          )}
        </Menu>
      ) : view === "tree" ? (
        <Menu className="btn quiet" label={<>fold <span aria-hidden="true">▾</span></>} align="right" name="Fold">
          {(close) => (
            <div className="facet-list">
              {(
                [
                  ["Open all", () => new Set<string>()],
                  ["Close all", () => closedBelow(table, 0)],
                  ["Open to the second level", () => closedBelow(table, 1)],
                  ["Open to the errors", () => closedButErrors(table)],
                  ...holdingKinds(table).map((code) => [`Close every ${KINDS[code]}`, () => closedOfKind(table, KINDS[code])] as const),
                ] as const
              ).map(([name, fold]) => (
                <button
                  key={name}
                  type="button"
                  className="option"
                  onClick={() => {
                    onFold(fold());
                    close();
                  }}
                >
                  {name}
                </button>
              ))}
            </div>
          )}
        </Menu>
      ) : null}
      <SearchField
        className="search small"
        name="Find in session"
        value={find}
        input={input}
        onChange={(text) => onChange({ find: text || undefined })}
        onEnter={onNext}
      >
        {matches !== null && (
          <span className="faint matches" role="status">
            {grouped(matches)}
          </span>
        )}
      </SearchField>
    </div>
  );
}
