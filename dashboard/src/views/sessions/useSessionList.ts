/** The loaded rows of the session list, kept fresh while the reader's place stays where it is. */

import { keepPreviousData, type QueryClient, type QueryKey, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, request } from "../../api/client";
import { type Changed, live } from "../../api/live";
import { deleteSessions, fetchSessions, type SessionFilters, type SessionOrder } from "../../api/queries";
import type { Session, SessionPage } from "../../api/types";
import { Pace } from "../../model/pace";
import { append, type Loaded, mergeHead, NONE_WAITS, unseen, updateInPlace, without } from "../../model/sessionList";

type SessionRows = Loaded<Session>;

/** Changed rows beyond the first page are asked for one by one up to this many, more of them page by page. */
const SINGLES = 12;
const REST_MS = 400;
const FIRST_REST_MS = 1_000;

function loaded({ sessions, next_cursor, total }: SessionPage): SessionRows {
  return { rows: sessions, cursor: next_cursor, total };
}

/** The first page of a list, and what has been loaded after it. */
export function rowsQuery(filters: SessionFilters, order: SessionOrder) {
  return queryOptions({
    queryKey: ["sessions", JSON.stringify(filters), order.sort, order.order],
    queryFn: async ({ signal }) => loaded(await fetchSessions(filters, order, null, signal)),
    staleTime: Number.POSITIVE_INFINITY,
    // Comparing ten thousand rows with themselves each time a page is added takes longer than a frame.
    structuralSharing: false,
  });
}

/** Leave a session that was deleted out of all lists at once: the server's word of it may take a while. */
export function leaveOut(client: QueryClient, id: string): void {
  client.setQueriesData<SessionRows>({ queryKey: ["sessions"] }, (old) => old && without(old, new Set([id])));
}

/** An answer that would have added rows: those of the rest of the list, or the new ones. */
interface Failed {
  readonly error: Error;
  readonly isOfRest: boolean;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What changed while a list that had been left was not shown, by its key. */
const heardAway = new Map<string, { changed: Changed; stop: () => void }>();

function both(some: Changed, others: Changed): Changed {
  return some && others ? new Set([...some, ...others]) : null;
}

/** Keep what changes of a list that is left, besides what it has not been asked for yet. */
function listenAway(client: QueryClient, key: QueryKey, changed: Changed): void {
  const heard = { changed, stop: () => {} };
  heard.stop = live.subscribe((ids) => {
    // A list that nobody came back to is forgotten.
    if (client.getQueryData(key) === undefined) takeHeard(key);
    heard.changed = both(heard.changed, ids);
  });
  heardAway.set(JSON.stringify(key), heard);
}

function takeHeard(key: QueryKey): Changed {
  const heard = heardAway.get(JSON.stringify(key));
  heard?.stop();
  heardAway.delete(JSON.stringify(key));
  return heard ? heard.changed : null;
}

export function useSessionList(filters: SessionFilters, order: SessionOrder, isAtTop: () => boolean) {
  const client = useQueryClient();
  const filtersText = JSON.stringify(filters);
  const { sort, order: direction } = order;
  const rows = useMemo(
    () => rowsQuery(JSON.parse(filtersText) as SessionFilters, { sort, order: direction }),
    [filtersText, sort, direction],
  );
  const key = rows.queryKey;
  const [pending, setPending] = useState(NONE_WAITS);
  const [isFetchingMore, setFetchingMore] = useState(false);
  const [failed, setFailed] = useState<Failed | null>(null);
  const page = useCallback(
    async (cursor: string | null) =>
      loaded(await fetchSessions(JSON.parse(filtersText) as SessionFilters, { sort, order: direction }, cursor)),
    [filtersText, sort, direction],
  );
  const query = useQuery({ ...rows, placeholderData: keepPreviousData });

  const gone = useRef(new Set<string>());
  const atTop = useRef(isAtTop);
  useEffect(() => {
    atTop.current = isAtTop;
  });

  /** The rows after the first page, as far as the list was loaded. */
  const rowsAfter = useCallback(
    async ({ rows: head, cursor }: SessionRows, count: number) => {
      const found: Session[] = [];
      for (let at = cursor; at && head.length + found.length < count; ) {
        const next = await page(at);
        found.push(...next.rows);
        at = next.cursor;
      }
      return found;
    },
    [page],
  );

  /**
   * Fetch the first page and changed rows beyond it; `take` accepts the server's order whatever the place. Returns the
   * ids of those that are still to be asked for.
   */
  const refresh = useCallback(
    async (changed: Changed, take = false): Promise<string[]> => {
      const before = client.getQueryData<SessionRows>(key);
      if (!before) return [];
      const read = await page(null);
      setFailed((old) => (old?.isOfRest ? old : null));
      const head = without(read, gone.current);
      const inHead = new Set(head.rows.map((row) => row.session_id));
      const beyond = before.rows.map((row) => row.session_id).filter((id) => !inHead.has(id) && (changed === null || changed.has(id)));
      const after = beyond.length > SINGLES ? await rowsAfter(read, before.rows.length) : [];
      const isRead = new Set(after.map((row) => row.session_id));
      const left = beyond.filter((id) => !isRead.has(id));
      const missing = new Set(gone.current);
      const singles = await Promise.all(
        left.slice(0, SINGLES).map((id) =>
          request<Session>(`/api/sessions/${encodeURIComponent(id)}`).catch((error: unknown) => {
            if (error instanceof ApiError && error.status === 404) missing.add(id);
            return null;
          }),
        ),
      );
      const news = [...after, ...singles.filter((row) => row !== null)];
      const moves = take || atTop.current();
      const now = client.getQueryData<SessionRows>(key) ?? before;
      setPending(moves ? NONE_WAITS : unseen(now, head));
      const next = moves ? mergeHead(now, head) : updateInPlace({ ...now, total: head.total }, head.rows);
      client.setQueryData(key, without(updateInPlace(next, news), new Set([...missing, ...gone.current])));
      return left.slice(SINGLES);
    },
    [client, key, page, rowsAfter],
  );

  useEffect(() => {
    // Rows from an earlier visit are shown at once, and brought up to date right after.
    let changed = takeHeard(key);
    const pace = new Pace(async () => {
      const batch = changed;
      changed = new Set();
      let left = batch;
      try {
        left = new Set(await refresh(batch));
        if (left.size > 0) pace.ask();
      } finally {
        // What could not be read is asked for with the next word.
        changed = both(changed, left);
      }
    }, REST_MS);
    setPending(NONE_WAITS);
    setFailed(null);
    if (client.getQueryData(key)) pace.ask();
    let later: ReturnType<typeof setTimeout>;
    const stop = live.subscribe((ids) => {
      changed = both(changed, ids);
      // A first page on its way, or just read, may tell of a time before the news; it is brought up to date once it is shown.
      if (ids !== null && client.getQueryData(key)) pace.ask();
      else later = setTimeout(() => pace.ask(), FIRST_REST_MS);
    });
    return () => {
      clearTimeout(later);
      stop();
      pace.stop();
      listenAway(client, key, changed);
    };
  }, [client, key, refresh]);

  const fetchMore = useCallback(async () => {
    const now = client.getQueryData<SessionRows>(key);
    if (!now?.cursor || isFetchingMore) return;
    setFetchingMore(true);
    setFailed(null);
    try {
      const more = await page(now.cursor);
      client.setQueryData(key, (old: SessionRows | undefined) => append(old ?? now, more));
    } catch (error) {
      setFailed({ error: asError(error), isOfRest: true });
    } finally {
      setFetchingMore(false);
    }
  }, [client, key, page, isFetchingMore]);

  /** Delete sessions. Their rows go at once, and no answer from before brings them back. */
  const remove = useCallback(
    async (ids: readonly string[]) => {
      for (const id of ids) gone.current.add(id);
      client.setQueryData(key, (old: SessionRows | undefined) => (old ? without(old, new Set(ids)) : old));
      try {
        return await deleteSessions(ids);
      } catch (error) {
        for (const id of ids) gone.current.delete(id);
        throw error;
      }
    },
    [client, key],
  );

  // The rest of the list is asked for again when the server is back.
  const fetchRest = useRef<(() => void) | null>(null);
  useEffect(() => {
    fetchRest.current = failed?.isOfRest ? () => void fetchMore() : null;
  });
  useEffect(() => live.subscribe((ids) => ids === null && fetchRest.current?.()), []);
  const showPending = () => {
    setFailed(null);
    refresh(null, true).catch((error: unknown) => setFailed({ error: asError(error), isOfRest: false }));
  };

  return {
    remove,
    list: query.data,
    isStale: query.isPlaceholderData,
    error: query.error,
    retry: () => void query.refetch(),
    fetchMore,
    isFetchingMore,
    pending,
    showPending,
    /** What could not be added to the list, and how to try again. */
    failed: failed && { error: failed.error, again: failed.isOfRest ? () => void fetchMore() : showPending },
  };
}
