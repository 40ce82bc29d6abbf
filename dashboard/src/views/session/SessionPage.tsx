/** One session: its numbers on top, one of five views of its events, and beside them the selected event. */

import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, isFile } from "../../api/client";
import { kindCode } from "../../model/kinds";
import { type Rows, positionOf, search as searchTable, shownRows } from "../../model/outline";
import { EMPTY_TABLE, type EventTable, STATUS_ERROR } from "../../model/table";
import { epochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { useNarrow, useSettled, useTitle } from "../../ui/hooks";
import { useKeys } from "../../ui/keys";
import { EventPanel } from "./EventPanel";
import { FindBar } from "./FindBar";
import { Header } from "./Header";
import { LogsView } from "./LogsView";
import { MessagesView } from "./MessagesView";
import { PanelFrame } from "./PanelFrame";
import { RawView } from "./RawView";
import { describe } from "./RowList";
import { isMove, type SessionSearch, VIEW_NAMES, VIEWS } from "./search";
import { Summary } from "./Summary";
import { Tabs, tabId } from "./Tabs";
import { Timeline } from "./Timeline";
import { TreeView } from "./TreeView";
import { useFoundInBodies, useSession } from "./useSession";

const route = getRouteApi("/sessions/$sessionId");
const NONE: ReadonlySet<string> = new Set();
const LLM = kindCode("llm");

export function SessionPage() {
  const { sessionId } = route.useParams();
  const address = route.useSearch();
  const navigate = route.useNavigate();
  const { session, timeline } = useSession(sessionId);
  const lastError = useRef<Error | null>(null);
  const isNarrow = useNarrow();
  const view = address.view ?? "timeline";
  const table = timeline.data?.table ?? EMPTY_TABLE;
  const base = timeline.data?.base ?? (session.data ? epochMicros(session.data.started_at) : 0);
  // The timeline is painted first; what took the time and the money is counted after it.
  const summed = useDeferredValue(table, EMPTY_TABLE);
  const find = useRef<HTMLInputElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(NONE);
  useTitle(session.data ? oneLine(session.data.name, 80) || "Session" : "Session");

  const here = useRef(address);
  useEffect(() => {
    here.current = address;
  });
  const change = useCallback(
    (next: Partial<SessionSearch>) =>
      void navigate({ search: (old: SessionSearch) => ({ ...old, ...next }), replace: isMove(here.current, next) }),
    [navigate],
  );
  const select = useCallback((id: string | undefined) => change({ event: id }), [change]);

  const query = address.find ?? "";
  const settled = useSettled(query, 150);
  const inBodies = useFoundInBodies(sessionId, settled);
  const deferred = useDeferredValue(query);
  const marks = useMemo(() => searchTable(table, deferred, inBodies), [table, deferred, inBodies]);
  const hideText = (address.hide ?? []).join(",");
  const hidden = useMemo(() => new Set(hideText ? hideText.split(",") : []), [hideText]);
  const rows: Rows = useMemo(
    () =>
      view === "tree"
        ? shownRows(table, { closed, hidden, only: marks })
        : shownRows(table, { closed: NONE, hidden: view === "messages" ? NONE : hidden }),
    [table, closed, hidden, marks, view],
  );
  /** What the keys walk: in the conversation, calls to models. */
  const walked: Rows = useMemo(() => (view === "messages" ? rows.filter((row) => table.kinds[row] === LLM) : rows), [rows, table, view]);
  const selectedRow = address.event ? table.ids.rowOf(address.event) : -1;

  // A linked event inside a closed part opens its ancestors.
  useEffect(() => {
    if (selectedRow < 0 || closed.size === 0) return;
    const open = new Set(closed);
    for (let at = table.parents[selectedRow]; at >= 0; at = table.parents[at]) open.delete(table.ids.at(at));
    if (open.size !== closed.size) setClosed(open);
    // Only when the selection moves: what the reader folds stays folded.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [address.event]);

  const step = (by: number) => {
    if (walked.length === 0) return;
    const at = selectedRow < 0 ? -1 : positionOf(walked, selectedRow);
    const to = at < 0 ? (by > 0 ? 0 : walked.length - 1) : Math.max(0, Math.min(walked.length - 1, at + by));
    select(table.ids.at(walked[to]));
  };
  /** To the next that matches, in closed parts too; after the last comes the first. */
  const stepTo = (matches: (row: number) => boolean, by: number) => {
    const all = closed.size > 0 ? shownRows(table, { closed: NONE, hidden }) : rows;
    const known = selectedRow < 0 ? -1 : positionOf(all, selectedRow);
    const at = known < 0 && by < 0 ? all.length : known;
    for (let steps = 1; steps <= all.length; steps++) {
      const row = all[(at + by * steps + all.length) % all.length];
      if (matches(row)) return select(table.ids.at(row));
    }
  };
  const fold = (row: number, isClosed: boolean) =>
    setClosed((old) => {
      const next = new Set(old);
      if (isClosed) next.add(table.ids.at(row));
      else next.delete(table.ids.at(row));
      return next;
    });
  const left = () => {
    if (selectedRow < 0) return;
    if (view === "tree" && table.sizes[selectedRow] > 1 && !closed.has(table.ids.at(selectedRow))) fold(selectedRow, true);
    else if (table.parents[selectedRow] >= 0) select(table.ids.at(table.parents[selectedRow]));
  };
  const right = () => {
    if (selectedRow < 0 || table.sizes[selectedRow] === 1) return;
    if (view === "tree" && closed.has(table.ids.at(selectedRow))) fold(selectedRow, false);
    else step(1);
  };
  const isMatch = (row: number) => marks?.[row] === 1 && (view !== "messages" || table.kinds[row] === LLM);
  const matches = useMemo(() => marks && countOf(marks, view === "messages" ? table.kinds : null), [marks, table, view]);
  useKeys("Session", [
    { keys: "/", does: "Find in the session", run: () => find.current?.select() },
    { keys: "j", does: "Next event", run: () => step(1) },
    { keys: "k", does: "Previous event", run: () => step(-1) },
    { keys: "ArrowDown", does: "", run: () => step(1) },
    { keys: "ArrowUp", does: "", run: () => step(-1) },
    { keys: "PageDown", does: "", run: () => step(20) },
    { keys: "PageUp", does: "", run: () => step(-20) },
    { keys: "Home", does: "", run: () => step(-walked.length) },
    { keys: "End", does: "", run: () => step(walked.length) },
    { keys: "ArrowLeft", does: "To the parent, or close it", run: left },
    { keys: "ArrowRight", does: "Open, or to the first child", run: right },
    { keys: "e", does: "Next error", run: () => stepTo((row) => table.statuses[row] === STATUS_ERROR, 1) },
    { keys: "E", does: "Previous error", run: () => stepTo((row) => table.statuses[row] === STATUS_ERROR, -1) },
    { keys: "n", does: "Next match", run: () => stepTo(isMatch, 1) },
    { keys: "N", does: "Previous match", run: () => stepTo(isMatch, -1) },
    { keys: "Enter", does: "Read the selected event", run: () => document.querySelector<HTMLElement>(".panel")?.focus() },
    ...VIEWS.map((name, index) => ({
      keys: String(index + 1),
      does: `Show ${VIEW_NAMES[name].toLowerCase()}`,
      run: () => change({ view: name === "timeline" ? undefined : name }),
    })),
    {
      keys: "Escape",
      does: "Close the event, then the search",
      run: () => {
        if (document.activeElement === find.current) find.current?.blur();
        else if (address.event) select(undefined);
        else if (address.find) change({ find: undefined });
      },
    },
  ]);

  // Being asked for again, what was not there before is not there yet: the page says so without a flicker.
  if (session.error || session.isSuccess) lastError.current = session.error;
  const error = session.error ?? (session.isPending ? lastError.current : null);
  const isUnknown = isNotFound(error);
  if (isUnknown || (error && !session.data)) {
    return <Absent error={isUnknown ? null : error} wasHere={session.data !== undefined} retry={() => void session.refetch()} />;
  }
  // In a file time stands still.
  const isRunning = session.data?.state === "running" && !isFile();
  const shared = { sessionId, table, base, rows, selectedRow, onSelect: select };
  const panel = address.event ? (
    <EventPanel sessionId={sessionId} eventId={address.event} table={table} base={base} onSelect={select} />
  ) : isNarrow ? null : (
    // Whole or not at all: what comes later would push the rest down.
    session.data && (summed !== EMPTY_TABLE || timeline.isError) && <Summary session={session.data} isRunning={isRunning} table={summed} onSelect={select} />
  );
  return (
    <div className="session">
      <Header session={session.data} sessionId={sessionId} />
      <Tabs view={view} session={session.data} />
      <PanelFrame panel={panel} isSheet={isNarrow} onClose={() => select(undefined)}>
        {view !== "logs" && view !== "raw" && (
          <FindBar
            table={table}
            input={find}
            find={query}
            matches={matches}
            hidden={hidden}
            ruler={address.ruler}
            view={view}
            onChange={change}
            onNext={() => stepTo(isMatch, 1)}
            onFold={setClosed}
          />
        )}
        <p className="sr-only" role="status">
          {selectedRow >= 0 && view !== "tree" && describe(table, selectedRow)}
        </p>
        <div className="view" role="tabpanel" aria-labelledby={tabId(view)}>
          {timeline.error && !timeline.data && !isNotFound(timeline.error) ? (
            <Failure error={timeline.error} retry={() => void timeline.refetch()} />
          ) : timeline.data && session.data ? (
            <>
              {view === "timeline" && (
                <Timeline
                  {...shared}
                  marks={marks}
                  gaps={timeline.data.gaps}
                  isRunning={isRunning}
                  sessionEnd={session.data.duration_ms}
                  zoom={address.zoom}
                  ruler={address.ruler}
                  onZoom={(zoom) => change({ zoom })}
                />
              )}
              {view === "tree" && <TreeView {...shared} isRunning={isRunning} marks={marks} closed={marks ? NONE : closed} onFold={fold} />}
              {view === "messages" && <MessagesView {...shared} />}
              {view === "logs" && <LogsView {...shared} level={address.level} find={query} input={find} onChange={change} />}
              {view === "raw" && <RawView session={session.data} eventId={address.event} />}
            </>
          ) : null}
        </div>
      </PanelFrame>
    </div>
  );
}

/** How many rows are marked; of calls to models alone, where kinds are given. */
function countOf(marks: Uint8Array, kinds: EventTable["kinds"] | null): number {
  return marks.reduce((sum, mark, row) => (!kinds || kinds[row] === LLM ? sum + mark : sum), 0);
}

/** Instead of a session: it has not arrived yet, is gone, or could not be read. The first mends itself. */
function Absent({ error, wasHere, retry }: { error: Error | null; wasHere: boolean; retry: () => void }) {
  return (
    <div className="empty" role="status">
      <h1>{error ? "The session could not be read" : wasHere ? "This session was deleted" : "Waiting for the first event of this session"}</h1>
      {error ? (
        <Failure error={error} retry={retry} />
      ) : (
        <p className="dim">
          {wasHere
            ? "Its events went with it."
            : "It shows here by itself when it arrives. A session that was deleted, or recorded to another server, will not."}
        </p>
      )}
      <Link to="/sessions" className="btn">
        All sessions
      </Link>
    </div>
  );
}

function isNotFound(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}
