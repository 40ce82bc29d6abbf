/** Two sessions beside each other, or the sessions of two tags. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { facetsQuery } from "../../api/queries";
import { Choice } from "../../ui/controls";
import { useTitle } from "../../ui/hooks";
import "../analytics/analytics.css";
import "./compare.css";
import { Candidates } from "./Candidates";
import { Groups } from "./Groups";
import { Pair } from "./Pair";
import type { CompareSearch } from "./search";

const route = getRouteApi("/compare");

export function ComparePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const isGroups = search.tag_a !== undefined || search.tag_b !== undefined;
  const { data: facets } = useQuery(facetsQuery("tag", {}));
  const tags = facets?.tag ?? [];
  useTitle("Compare");
  const change = (next: Partial<CompareSearch>, replace = false) =>
    void navigate({ search: (old: CompareSearch) => ({ ...old, ...next }), replace });
  return (
    <>
      <header className="top">
        <h1>Compare</h1>
        <Choice
          label="What to compare"
          value={isGroups ? "groups" : "sessions"}
          options={[
            ["sessions", "Two sessions"],
            ["groups", "Two tags"],
          ]}
          onChange={(what) =>
            void navigate({
              search: what === "groups" ? { tag_a: tags[0]?.value ?? "", tag_b: tags[1]?.value ?? "" } : {},
            })
          }
        />
      </header>
      <div className="analytics">
        <form
          className="compare-form"
          key={JSON.stringify([search.a, search.b, search.tag_a, search.tag_b])}
          onSubmit={(event) => {
            event.preventDefault();
            const given = new FormData(event.currentTarget);
            const [first, second] = ["first", "second"].map((name) => String(given.get(name) ?? "").trim());
            change(isGroups ? { tag_a: first, tag_b: second } : { a: idOf(first), b: idOf(second), row: undefined });
          }}
        >
          {(["first", "second"] as const).map((name) => (
            <label key={name}>
              <i className={`side-${name === "first" ? "a" : "b"}`}>{name === "first" ? "A" : "B"}</i>
              <input
                name={name}
                required
                list={isGroups ? "compare-tags" : undefined}
                placeholder={isGroups ? "Tag" : "Id or address of a session"}
                defaultValue={(isGroups ? [search.tag_a, search.tag_b] : [search.a, search.b])[name === "first" ? 0 : 1]}
              />
            </label>
          ))}
          <datalist id="compare-tags">
            {tags.map(({ value }) => (
              <option key={value} value={value}>
                {value}
              </option>
            ))}
          </datalist>
          <button type="submit" className="btn">
            Compare
          </button>
          {!isGroups && search.a && search.b && (
            <button type="button" className="btn quiet" onClick={() => change({ a: search.b, b: search.a, row: undefined })}>
              Swap
            </button>
          )}
        </form>
        {isGroups ? (
          <Groups tagA={search.tag_a ?? ""} tagB={search.tag_b ?? ""} since={search.since} />
        ) : search.a && search.b ? (
          <Pair key={JSON.stringify([search.a, search.b])} a={search.a} b={search.b} search={search} onChange={change} />
        ) : search.a || search.b ? (
          <Candidates chosen={search.a ?? search.b ?? ""} side={search.a ? "a" : "b"} />
        ) : (
          <p className="dim">
            Choose two sessions in the list and press Compare there, or name them here. Two tags compare all their sessions.
          </p>
        )}
      </div>
    </>
  );
}

/** The id in an address that was pasted, or the id itself. */
function idOf(text: string): string {
  const found = /\/sessions\/([^/?#]+)/.exec(text);
  if (!found) return text;
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return found[1];
  }
}
