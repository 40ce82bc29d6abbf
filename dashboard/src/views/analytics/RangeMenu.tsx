/** Which range of time: the usual ones, all time, or two moments of one's own. */

import { sinceText } from "../../model/span";
import type { Zone } from "../../model/time";
import { Menu } from "../../ui/controls";
import { usePreference } from "../../ui/preferences";
import { ALL_TIME, type AnalyticsSearch, DEFAULT_SINCE } from "./search";

const RANGES = [
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["90d", "Last 90 days"],
  [ALL_TIME, "All time"],
] as const;

interface Props {
  search: AnalyticsSearch;
  onChange: (change: Partial<AnalyticsSearch>) => void;
}

export function RangeMenu({ search, onChange }: Props) {
  const zone = usePreference("zone");
  const clock = zone === "utc" ? " (UTC)" : "";
  const since = search.since ?? (search.until ? "" : DEFAULT_SINCE);
  const known = search.until ? undefined : RANGES.find(([one]) => one === since);
  const label = known?.[1] ?? (search.until ? "Chosen range" : sinceText(since, zone));
  return (
    <Menu label={<>{label} <span aria-hidden="true">▾</span></>} align="right" name={`Time range: ${label}`}>
      {(close) => (
        <div className="facets">
          <div className="facet-list">
            {RANGES.map(([one, name]) => (
              <button
                key={one}
                type="button"
                className="option"
                aria-pressed={known?.[0] === one}
                onClick={() => {
                  onChange({ since: one === DEFAULT_SINCE ? undefined : one, until: undefined, interval: undefined });
                  close();
                }}
              >
                {name}
              </button>
            ))}
          </div>
          <form
            className="own-range"
            onSubmit={(event) => {
              event.preventDefault();
              const given = new FormData(event.currentTarget);
              const [first, second] = ["from", "to"].map((name) => Date.parse(`${given.get(name) ?? ""}${zone === "utc" ? "Z" : ""}`));
              if (Number.isNaN(first)) return;
              // Whichever came first is the beginning.
              const [from, to] = second < first ? [second, first] : [first, second];
              onChange({
                since: new Date(from).toISOString(),
                until: Number.isNaN(to) ? undefined : new Date(to).toISOString(),
                interval: undefined,
              });
              close();
            }}
          >
            <label>
              From{clock} <input type="datetime-local" name="from" required defaultValue={field(search.since, zone)} />
            </label>
            <label>
              To{clock} <input type="datetime-local" name="to" defaultValue={field(search.until, zone)} />
            </label>
            <button type="submit" className="btn">
              Apply
            </button>
          </form>
        </div>
      )}
    </Menu>
  );
}

/** A moment as the field of a form takes it: by the reader's clock, to the minute. */
function field(iso: string | undefined, zone: Zone): string {
  const at = iso ? new Date(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  const ahead = zone === "utc" ? 0 : at.getTimezoneOffset() * 60_000;
  return new Date(at.getTime() - ahead).toISOString().slice(0, 16);
}
