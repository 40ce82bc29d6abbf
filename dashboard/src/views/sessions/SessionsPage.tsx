/** The first page: every session, newest first, searchable, moving while one runs. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { type SessionFilters, totalQuery } from "../../api/queries";
import { grouped, plural } from "../../model/format";
import { chosenRange, unshown } from "../../model/sessionList";
import { sinceText } from "../../model/span";
import { Failure, Menu } from "../../ui/controls";
import { useLiveState, usePainted, useTitle } from "../../ui/hooks";
import { useKeys } from "../../ui/keys";
import { setPreference, usePreference } from "../../ui/preferences";
import { SearchField } from "../../ui/SearchField";
import { Bulk } from "./Bulk";
import { FACTS, HIDDEN_AT_FIRST } from "./columns";
import { FacetCount, FilterBar } from "./FilterBar";
import { FirstRun } from "./FirstRun";
import { Histogram } from "./Histogram";
import { filtersOf, isFiltered, leaveList, orderOf, readSessionsSearch, type SessionsSearch, type Sort } from "./search";
import { SavedViews } from "./SavedViews";
import { ROW, SessionTable } from "./SessionTable";
import { rowsQuery, useSessionList } from "./useSessionList";

const route = getRouteApi("/sessions");

/** Where the reader was in each list, by its address: back leads to the same place. */
const places = new Map<string, number>();

const RANGES = [
  ["", "Any time"],
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
] as const;

export function SessionsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const place = JSON.stringify(search);
  const scroller = useRef<HTMLDivElement>(null);
  const find = useRef<HTMLInputElement>(null);
  useEffect(() => leaveList(search), [search]);
  const liveState = useLiveState();
  const visibility = useVisibility();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { list, error, retry, fetchMore, remove, isStale, pending, showPending, failed } = useSessionList(
    filtersOf(search),
    orderOf(search),
    () => (scroller.current?.scrollTop ?? 0) < ROW / 2,
  );
  useTitle("Sessions");

  const hasList = list !== undefined;
  useEffect(() => {
    const element = hasList ? scroller.current : null;
    if (!element) return;
    const remember = () => places.set(place, element.scrollTop);
    // Before the table draws what came on view: asked after it, the place would have to be laid out for the answer.
    element.addEventListener("scroll", remember, { passive: true, capture: true });
    return () => element.removeEventListener("scroll", remember, { capture: true });
  }, [place, hasList]);

  const client = useQueryClient();
  const change = (next: Partial<SessionsSearch>, replace = false) => {
    // The rows are on their way while the page draws what was chosen.
    const coming = readSessionsSearch({ ...search, ...next });
    void client.prefetchQuery(rowsQuery(filtersOf(coming), orderOf(coming)));
    scroller.current?.scrollTo({ top: 0 });
    void navigate({ search: (old: SessionsSearch) => ({ ...old, ...next }), replace });
  };
  const { sort, order } = orderOf(search) as { sort: Sort; order: "asc" | "desc" };
  const onSort = (by: Sort) => change({ sort: by, order: by === sort && order === "desc" ? "asc" : "desc" });
  const lastChosen = useRef<string | null>(null);
  const choose = (id: string, reaches: boolean) => {
    const ids = reaches && lastChosen.current ? chosenRange(list?.rows ?? [], lastChosen.current, id) : [id];
    const isChosen = !chosen.has(id);
    lastChosen.current = id;
    setChosen((old) => {
      const next = new Set(old);
      for (const one of ids) {
        if (isChosen) next.add(one);
        else next.delete(one);
      }
      return next;
    });
  };
  const chooseAll = (isChosen: boolean) => setChosen(new Set(isChosen ? list?.rows.map((row) => row.session_id) : []));

  useKeys("Sessions", [
    {
      keys: "/",
      does: "Search sessions",
      run: () => find.current?.select(),
    },
    {
      keys: "Escape",
      does: "",
      run: () => {
        if (document.activeElement === find.current) find.current?.blur();
        else setChosen(new Set());
      },
    },
  ]);

  // The list comes first: its bars, values and whole are asked for when its rows are seen.
  const isSeen = usePainted(!isStale) && !isStale;
  const [counted, setCounted] = useState(() => filtersOf(search));
  const filtersText = JSON.stringify(filtersOf(search));
  useEffect(() => {
    if (hasList && isSeen) setCounted(JSON.parse(filtersText) as SessionFilters);
  }, [hasList, isSeen, filtersText]);

  const [shownPlace, setShownPlace] = useState(place);
  if (!isStale && shownPlace !== place) setShownPlace(place);

  const isEmpty = list !== undefined && list.total === 0 && list.rows.length === 0;
  const isFresh = isEmpty && !isFiltered(search) && !isStale;
  return (
    <>
      <header className="top">
        <h1>Sessions</h1>
        <LiveSign state={liveState} />
        <span className="grow" />
        {!isFresh && (
          <>
            <SearchField
              name="Search names, prompts, errors"
              value={search.q ?? ""}
              input={find}
              restMs={200}
              onChange={(q) => change({ q: q || undefined }, search.q !== undefined && q !== "")}
            />
            <RangeMenu search={search} onChange={change} />
            <SavedViews search={search} onChoose={(view) => void navigate({ search: view })} />
            <ColumnMenu visibility={visibility} />
          </>
        )}
      </header>
      {!isFresh && <Histogram filters={counted} isReady={list !== undefined} onRange={(since, until) => change({ since, until })} />}
      {!isFresh && (
        <div className="filters" role="group" aria-label="Filters">
          <FilterBar search={search} onChange={change} isReady={isSeen} />
          <span className="grow" />
          {list && <Count total={list.total} isNarrowed={isFiltered(search) && isSeen} />}
          {isFiltered(search) && (
            <button type="button" className="btn quiet" onClick={() => void navigate({ search: { sort: search.sort, order: search.order } })}>
              Clear all
            </button>
          )}
        </div>
      )}
      {chosen.size > 0 && <Bulk chosen={chosen} unseen={list ? unshown(list.rows, chosen) : 0} onLeft={setChosen} onChanged={showPending} onRemove={remove} />}
      <div className="list">
        {pending.count > 0 && (
          <button
            type="button"
            className="pending"
            onClick={() => {
              scroller.current?.scrollTo({ top: 0 });
              showPending();
            }}
          >
            ↑ {grouped(pending.count)}
            {pending.isMore && "+"} new
          </button>
        )}
        {error && !list ? (
          <Failure error={error} retry={retry} />
        ) : isFresh ? (
          <FirstRun />
        ) : isEmpty ? (
          <div className="empty">
            <h2>No session matches</h2>
            <p className="dim">Nothing recorded so far fits all of these filters.</p>
            <button type="button" className="btn" onClick={() => void navigate({ search: {} })}>
              Show all sessions
            </button>
          </div>
        ) : (
          list && (
            <SessionTable
              place={shownPlace}
              rows={list.rows}
              sort={sort}
              order={order}
              onSort={onSort}
              visibility={visibility}
              scroller={scroller}
              initialOffset={places.get(shownPlace) ?? 0}
              onNearEnd={() => void fetchMore()}
              chosen={chosen}
              onChoose={choose}
              onChooseAll={chooseAll}
              isStale={isStale}
            />
          )
        )}
        {failed && list && (
          <div className="list-failure">
            <Failure error={failed.error} retry={failed.again} />
          </div>
        )}
      </div>
    </>
  );
}

function LiveSign({ state }: { state: string }) {
  if (state === "live") {
    return (
      <span className="live">
        <span className="dot state-running" /> live
      </span>
    );
  }
  return state === "lost" ? (
    <span className="live lost" role="status">
      <span className="dot" /> connection lost, trying again
    </span>
  ) : null;
}

function RangeMenu({ search, onChange }: { search: SessionsSearch; onChange: (change: Partial<SessionsSearch>) => void }) {
  const zone = usePreference("zone");
  const known = RANGES.find(([since]) => since === (search.since ?? ""));
  const label = search.until ? "Chosen range" : (known?.[1] ?? sinceText(search.since ?? "", zone));
  return (
    <Menu label={<>{label} <span aria-hidden="true">▾</span></>} align="right" name={`Time range: ${label}`}>
      {(close) => (
        <div className="facet-list">
          {RANGES.map(([since, name]) => (
            <button
              key={since}
              type="button"
              className="option"
              aria-pressed={!search.until && (search.since ?? "") === since}
              onClick={() => {
                onChange({ since: since || undefined, until: undefined });
                close();
              }}
            >
              {name}
              {since && <FacetCount name="since" value={since} search={search} />}
            </button>
          ))}
        </div>
      )}
    </Menu>
  );
}

/** How many sessions are listed, and of how many when they are narrowed down. */
function Count({ total, isNarrowed }: { total: number; isNarrowed: boolean }) {
  const { data: all } = useQuery({ ...totalQuery, enabled: isNarrowed });
  return (
    <span className="faint count" role="status" data-total={total}>
      {isNarrowed && all !== undefined && all > total ? `${grouped(total)} of ${plural(all, "session")}` : plural(total, "session")}
    </span>
  );
}

function useVisibility(): Record<string, boolean> {
  const text = usePreference("columns");
  if (!text) return HIDDEN_AT_FIRST;
  const hidden = new Set(text.split(","));
  return Object.fromEntries(Object.keys(FACTS).map((id) => [id, !hidden.has(id)]));
}

function ColumnMenu({ visibility }: { visibility: Record<string, boolean> }) {
  const ids = Object.keys(FACTS).filter((id) => id !== "state" && id !== "name");
  const toggle = (id: string) => {
    const hidden = ids.filter((one) => (visibility[one] === false) !== (one === id));
    setPreference("columns", hidden.join(",") || "none");
  };
  return (
    <Menu label="Columns" align="right">
      {() => (
        <div className="facet-list">
          {ids.map((id) => (
            <label key={id} className="facet">
              <input type="checkbox" checked={visibility[id] !== false} onChange={() => toggle(id)} />
              <span className="facet-value">{FACTS[id].title}</span>
            </label>
          ))}
        </div>
      )}
    </Menu>
  );
}
