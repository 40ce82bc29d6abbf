/** The filters in force as chips, and for each filter the values there are, with how many sessions have them. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { facetsQuery } from "../../api/queries";
import { grouped } from "../../model/format";
import { STATE_NAMES, type State } from "../../model/kinds";
import { oneLine } from "../../model/visible";
import { Failure, Menu } from "../../ui/controls";
import { StateDot } from "../../ui/marks";
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
const MULTIPLE: ReadonlySet<string> = new Set(["state", "tag"]);

interface Props {
  search: SessionsSearch;
  onChange: (change: Partial<SessionsSearch>) => void;
}

export function FilterBar({ search, onChange }: Props) {
  return (
    <>
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
              {(close) => <FacetMenu name={name} search={search} onChange={onChange} close={close} />}
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

function FacetMenu({ name, search, onChange, close }: Props & { name: FacetName; close: () => void }) {
  const { [name]: _own, ...others } = filtersOf(search);
  const { data, error, refetch } = useQuery(facetsQuery(others));
  const [find, setFind] = useState("");
  const current = valuesOf(search, name);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const all = data?.[name] ?? [];
  const facets = all.filter(({ value }) => value.toLowerCase().includes(find.toLowerCase()));
  const pick = (value: string) => {
    if (!MULTIPLE.has(name)) {
      onChange({ [name]: current.includes(value) ? undefined : value });
      close();
      return;
    }
    const next = current.includes(value) ? current.filter((one) => one !== value) : [...current, value];
    onChange({ [name]: next.length > 0 ? next : undefined });
  };
  return (
    <div className="facets">
      {all.length > 8 && (
        <input
          type="search"
          aria-label={`Find a ${name}`}
          placeholder="Find"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
      )}
      <div className="facet-list">
        {facets.slice(0, 200).map(({ value, count }) => (
          <label key={value} className="facet">
            <input type="checkbox" checked={current.includes(value)} onChange={() => pick(value)} />
            {name === "state" && <StateDot state={value} />}
            <span className="facet-value">{shown(name, value)}</span>
            <span className="faint">{grouped(count)}</span>
          </label>
        ))}
        {data && facets.length === 0 && <p className="faint">No session here has one.</p>}
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
  const value = (search[name] ?? "").replace(/s$/, "");
  const text = (step: string) => (unit === "$" ? `≥ $${step}` : `≥ ${step} ${unit}`);
  const set = (step: string) => {
    const number = Number(step);
    const suffix = name === "min_duration" ? "s" : "";
    onChange({ [name]: step.trim() !== "" && number >= 0 ? `${number}${suffix}` : undefined });
  };
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
              <input name="least" inputMode="decimal" aria-label={`Least ${title.toLowerCase()} in ${unit}`} placeholder={`At least … ${unit}`} defaultValue={value} />
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

function valuesOf(search: SessionsSearch, name: FacetName): string[] {
  const value = search[name];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function shown(name: FacetName, value: string): string {
  return name === "state" ? (STATE_NAMES[value as State]?.toLowerCase() ?? value) : oneLine(value, 48);
}
