/** The loaded rows of the session list, kept fresh while the reader's place stays where it is. */

import { keepPreviousData, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, request } from "../../api/client";
import { type Changed, live } from "../../api/live";
import { deleteSession, fetchSessions, type SessionFilters, type SessionOrder } from "../../api/queries";
import type { Session, SessionPage } from "../../api/types";
import { Pace } from "../../model/pace";
import { append, type Loaded, mergeHead, unseen, updateInPlace, without } from "../../model/sessionList";

type SessionRows = Loaded<Session>;

/** Changed rows beyond the first page are asked for one by one, up to this many at a time. */
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

export function useSessionList(filters: SessionFilters, order: SessionOrder, isAtTop: () => boolean) {
  const client = useQueryClient();
  const filtersText = JSON.stringify(filters);
  const { sort, order: direction } = order;
  const rows = useMemo(
    () => rowsQuery(JSON.parse(filtersText) as SessionFilters, { sort, order: direction }),
    [filtersText, sort, direction],
  );
  const key = rows.queryKey;
  const [pending, setPending] = useState(0);
  const [isFetchingMore, setFetchingMore] = useState(false);
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

  /** Fetch the first page and changed rows beyond it; `take` accepts the server's order whatever the place. */
  const refresh = useCallback(
    async (changed: Changed, take = false) => {
      const before = client.getQueryData<SessionRows>(key);
      if (!before) return;
      const read = await page(null);
      const head = without(read, gone.current);
      const inHead = new Set(head.rows.map((row) => row.session_id));
      const beyond = before.rows
        .filter((row) => !inHead.has(row.session_id) && (changed === null ? row.state === "running" : changed.has(row.session_id)))
        .slice(0, SINGLES);
      const missing = new Set(gone.current);
      const singles = await Promise.all(
        beyond.map(({ session_id: id }) =>
          request<Session>(`/api/sessions/${encodeURIComponent(id)}`).catch((error: unknown) => {
            if (error instanceof ApiError && error.status === 404) missing.add(id);
            return null;
          }),
        ),
      );
      const news = singles.filter((row) => row !== null);
      const moves = take || atTop.current();
      const now = client.getQueryData<SessionRows>(key) ?? before;
      setPending(moves ? 0 : unseen(now, head));
      const next = moves ? mergeHead(now, head) : updateInPlace({ ...now, total: head.total }, head.rows);
      client.setQueryData(key, without(updateInPlace(next, news), new Set([...missing, ...gone.current])));
    },
    [client, key, page],
  );

  useEffect(() => {
    let changed: Set<string> | null = new Set();
    const pace = new Pace(() => {
      const batch = changed;
      changed = new Set();
      return refresh(batch);
    }, REST_MS);
    setPending(0);
    // Rows from an earlier visit are shown at once, and brought up to date right after.
    changed = null;
    if (client.getQueryData(key)) pace.ask();
    let later: ReturnType<typeof setTimeout>;
    const stop = live.subscribe((ids) => {
      if (ids === null) changed = null;
      else if (changed) for (const id of ids) changed.add(id);
      // A first page on its way, or just read, may tell of a time before the news; it is brought up to date once it is shown.
      if (ids !== null && client.getQueryData(key)) pace.ask();
      else later = setTimeout(() => pace.ask(), FIRST_REST_MS);
    });
    return () => {
      clearTimeout(later);
      stop();
      pace.stop();
    };
  }, [client, key, refresh]);

  const fetchMore = useCallback(async () => {
    const now = client.getQueryData<SessionRows>(key);
    if (!now?.cursor || isFetchingMore) return;
    setFetchingMore(true);
    try {
      const more = await page(now.cursor);
      client.setQueryData(key, (old: SessionRows | undefined) => append(old ?? now, more));
    } finally {
      setFetchingMore(false);
    }
  }, [client, key, page, isFetchingMore]);

  /** Delete a session. Its row goes at once, and no answer from before brings it back. */
  const remove = useCallback(
    async (id: string) => {
      gone.current.add(id);
      client.setQueryData(key, (old: SessionRows | undefined) => (old ? without(old, new Set([id])) : old));
      try {
        await deleteSession(id);
      } catch (error) {
        gone.current.delete(id);
        throw error;
      }
    },
    [client, key],
  );

  return {
    remove,
    list: query.data,
    isStale: query.isPlaceholderData,
    error: query.error,
    retry: () => void query.refetch(),
    fetchMore,
    isFetchingMore,
    pending,
    showPending: () => void refresh(null, true),
  };
}
