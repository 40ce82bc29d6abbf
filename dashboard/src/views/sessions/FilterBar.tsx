/** The filters in force as chips, and for each filter the values there are, with how many sessions have them. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { facetsQuery } from "../../api/queries";
import { grouped } from "../../model/format";
import { STATE_NAMES, type State } from "../../model/kinds";
import { leastOf } from "../../model/least";
import { spanOf } from "../../model/span";
import { both, clock, day, dated } from "../../model/time";
import { oneLine } from "../../model/visible";
import { Failure, Menu } from "../../ui/controls";
import { useNow } from "../../ui/hooks";
import { StateDot } from "../../ui/marks";
import { usePreference } from "../../ui/preferences";
import { filtersOf, type SessionsSearch } from "./search";

type FacetName = "state" | "tag" | "model" | "agent" | "tool" | "error" | "user";
const FACETS: readonly (readonly [FacetName, string])[] = [
  ["state", "State"],
  ["tag", "Tag"],
  ["model", "Model"],
  ["agent", "Agent"],
  ["tool", "Tool"],
  ["error", "Error"],
  ["user", "User"],
];
/** The server tells no more values of a filter than these. */
const MOST_VALUES = 100;
/** Values of a filter that say it for all others. */
const SPECIAL: Record<string, string> = { "error=true": "any error", "error=false": "no error" };

interface Props {
  search: SessionsSearch;
  onChange: (change: Partial<SessionsSearch>) => void;
}

interface FilterBarProps extends Props {
  /** False while the rows are on their way: counts are asked for after them. */
  isReady?: boolean;
}

export function FilterBar({ search, onChange, isReady = true }: FilterBarProps) {
  return (
    <>
      <TimeChip search={search} onChange={onChange} />
      <NameChip search={search} onChange={onChange} />
      <AlsoChips search={search} onChange={onChange} />
      {FACETS.map(([name, title]) => {
        const values = valuesOf(search, name);
        return (
          <span key={name} className={values.length > 0 ? "chip on" : "chip"}>
            <Menu
              className="chip-label"
              name={`Filter by ${[title.toLowerCase(), values.map((value) => shown(name, value)).join(", ")].join(" ").trim()}`}
              label={
                values.length > 0 ? (
                  <>
                    <b>{title.toLowerCase()}</b> {values.map((value) => shown(name, value)).join(", ")}
                  </>
                ) : (
                  title
                )
              }
            >
              {() => <FacetMenu name={name} search={search} onChange={onChange} isReady={isReady} />}
            </Menu>
            {values.length > 0 && (
              <button
                type="button"
                className="chip-clear"
                aria-label={`Clear ${title.toLowerCase()}`}
                onClick={() => onChange({ [name]: undefined })}
              >
                ×
              </button>
            )}
          </span>
        );
      })}
      <Least name="min_cost" title="Cost" unit="$" steps={["0.01", "0.1", "1", "10"]} search={search} onChange={onChange} />
      <Least name="min_duration" title="Duration" unit="s" steps={["1", "10", "60", "600"]} search={search} onChange={onChange} />
    </>
  );
}

function FacetMenu({ name, search, onChange, isReady }: FilterBarProps & { name: FacetName }) {
  const { [name]: own, ...others } = filtersOf(search);
  // Several tags must all be there, several values of the rest any: a count says what one more would leave.
  const { data, error, refetch } = useQuery({ ...facetsQuery(name, name === "tag" ? { ...others, tag: own } : others), enabled: isReady });
  const [find, setFind] = useState("");
  const current = valuesOf(search, name);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const all = data?.[name] ?? [];
  const isCut = all.length >= MOST_VALUES;
  // What is chosen stays in the list when nothing has it any more: it can be let go of there.
  const gone = data ? current.filter((value) => !all.some((one) => one.value === value)) : [];
  const facets = [...all, ...gone.map((value) => ({ value, count: isCut ? null : 0 }))]
    .filter(({ value }) => shown(name, value).toLowerCase().includes(find.toLowerCase()))
    .toSorted((a, b) => Number(isSpecial(name, b.value)) - Number(isSpecial(name, a.value)));
  const pick = (value: string) => {
    const next = current.includes(value) ? current.filter((one) => one !== value) : [...current, value];
    onChange({ [name]: next.length > 0 ? next : undefined });
  };
  return (
    <div className="facets">
      {all.length > 8 && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isCut && find.trim() && !current.includes(find.trim())) pick(find.trim());
          }}
        >
          <input
            type="search"
            aria-label={`Find a ${name}`}
            placeholder={isCut ? "Find, or a whole one and Enter" : "Find"}
            value={find}
            onChange={(event) => setFind(event.target.value)}
          />
        </form>
      )}
      <div className="facet-list">
        {facets.map(({ value, count }) => (
          <label key={value} className="facet">
            <input type="checkbox" checked={current.includes(value)} onChange={() => pick(value)} />
            {name === "state" && <StateDot state={value} />}
            <span className="facet-value">{shown(name, value)}</span>
            <span className="faint">{grouped(count)}</span>
          </label>
        ))}
        {data && facets.length === 0 && (
          <p className="faint">
            {isCut
              ? `Not among the ${grouped(MOST_VALUES)} most frequent: Enter takes it as it is typed.`
              : find
                ? "None of them is called so."
                : "No session here has one."}
          </p>
        )}
        {isCut && !find && <p className="faint">The {grouped(MOST_VALUES)} most frequent.</p>}
      </div>
    </div>
  );
}

function Least({
  name,
  title,
  unit,
  steps,
  search,
  onChange,
}: Props & { name: "min_cost" | "min_duration"; title: string; unit: string; steps: readonly string[] }) {
  const value = leastOf(name, search[name]);
  const suffix = name === "min_duration" ? "s" : "";
  const text = (step: string) => (unit === "$" ? `≥ $${step}` : `≥ ${step} ${unit}`);
  const set = (step: string) => onChange({ [name]: step.trim() === "" ? undefined : `${Number(step.replace(",", "."))}${suffix}` });
  return (
    <span className={value ? "chip on" : "chip"}>
      <Menu
        className="chip-label"
        name={`Filter by ${title.toLowerCase()} ${value ? text(value) : ""}`.trim()}
        label={value ? <><b>{title.toLowerCase()}</b> {text(value)}</> : title}
      >
        {(close) => (
          <div className="facets">
            <div className="facet-list">
              {steps.map((step) => (
                <button
                  key={step}
                  type="button"
                  className="option"
                  aria-pressed={value === step}
                  onClick={() => {
                    set(value === step ? "" : step);
                    close();
                  }}
                >
                  {text(step)}
                  <FacetCount name={name} value={`${step}${suffix}`} search={search} />
                </button>
              ))}
            </div>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                set(String(new FormData(event.currentTarget).get("least") ?? ""));
                close();
              }}
            >
              <input
                name="least"
                inputMode="decimal"
                pattern="\s*\d{0,9}[.,]?\d{1,6}\s*"
                title={`A number of ${unit}, such as 1.5`}
                aria-label={`Least ${title.toLowerCase()} in ${unit}`}
                placeholder={`At least … ${unit}`}
                defaultValue={value}
              />
            </form>
          </div>
        )}
      </Menu>
      {value && (
        <button type="button" className="chip-clear" aria-label={`Clear ${title.toLowerCase()}`} onClick={() => set("")}>
          ×
        </button>
      )}
    </span>
  );
}

/** How many sessions the value of a filter would leave. */
export function FacetCount({ name, value, search }: { name: "min_cost" | "min_duration" | "since"; value: string; search: SessionsSearch }) {
  const { [name]: _own, until, ...others } = filtersOf(search);
  const { data } = useQuery(facetsQuery(name, name === "since" || !until ? others : { ...others, until }));
  return <span className="faint">{data && grouped(data[name].find((one) => one.value === value)?.count ?? 0)}</span>;
}

/** A range of time that no menu names, as a chip. */
function TimeChip({ search, onChange }: Props) {
  const zone = usePreference("zone");
  const now = useNow(60_000);
  if (!search.until) return null;
  const span = spanOf(search.since, search.until, now);
  const [from, to] = [span.from ?? Number.NaN, span.to].map((at) => at * 1000);
  const moment = (at: number) => (Number.isNaN(at) ? "…" : dated(at, zone));
  const isOneDay = day(from, zone) === day(to, zone);
  return (
    <span className="chip on">
      <span className="chip-label" title={[from, to].map(both).join("\n\n")}>
        <b>time</b> {moment(from)} – {isOneDay ? clock(to, zone, 0).slice(0, 5) : moment(to)}
      </span>
      <button type="button" className="chip-clear" aria-label="Clear time" onClick={() => onChange({ since: undefined, until: undefined })}>
        ×
      </button>
    </span>
  );
}

/** Names of sessions: other pages lead here by them. */
function NameChip({ search, onChange }: Props) {
  if (!search.name) return null;
  return (
    <span className="chip on">
      <span className="chip-label">
        <b>name</b> {search.name.map((name) => oneLine(name, 48)).join(", ")}
      </span>
      <button type="button" className="chip-clear" aria-label="Clear name" onClick={() => onChange({ name: undefined })}>
        ×
      </button>
    </span>
  );
}

/** What sessions have besides, one chip each: the tables of Analytics lead here by them. */
function AlsoChips({ search, onChange }: Props) {
  const { also = [] } = search;
  return also.map((one) => {
    const kind = one.slice(0, one.indexOf(":"));
    const told = oneLine(one.slice(kind.length + 1), 48);
    const left = also.filter((other) => other !== one);
    return (
      <span key={one} className="chip on">
        <span className="chip-label" title={one}>
          <b>with {kind}</b> {told}
        </span>
        <button
          type="button"
          className="chip-clear"
          aria-label={`Clear with ${kind} ${told}`}
          onClick={() => onChange({ also: left.length > 0 ? left : undefined })}
        >
          ×
        </button>
      </span>
    );
  });
}

function valuesOf(search: SessionsSearch, name: FacetName): string[] {
  return search[name] ?? [];
}

function isSpecial(name: FacetName, value: string): boolean {
  return `${name}=${value}` in SPECIAL;
}

function shown(name: FacetName, value: string): string {
  if (isSpecial(name, value)) return SPECIAL[`${name}=${value}`];
  return name === "state" ? (STATE_NAMES[value as State]?.toLowerCase() ?? value) : oneLine(value, 48);
}
