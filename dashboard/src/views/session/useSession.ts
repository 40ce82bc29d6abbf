/** A session and its events, fresh while it runs: asked again when the server says so, as fast as the page can bear. */

import { type QueryClient, type QueryKey, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { live } from "../../api/live";
import { eventSearchQuery, sessionQuery, timelineQuery } from "../../api/queries";
import type { EventDetail, SessionDetail } from "../../api/types";
import { Pace } from "../../model/pace";

const REST_MS = 200;
const FRESH_MS = 2_000;

export function useSession(id: string) {
  const client = useQueryClient();
  const session = useQuery(sessionQuery(id));
  const timeline = useQuery(timelineQuery(id));
  useEffect(() => {
    const pace = new Pace(() => refreshed(client, id), REST_MS, 0.5);
    const stop = live.subscribe((changed) => {
      if (changed ? changed.has(id) : mayHaveMoved(client, id)) pace.ask();
      else if (changed === null && isOld(client, id)) void client.refetchQueries({ queryKey: sessionQuery(id).queryKey, exact: true });
    });
    return () => {
      stop();
      pace.stop();
    };
  }, [client, id]);
  return { session, timeline };
}

/** Ids of the events that hold a text; those of a long session come a part at a time. */
export function useFoundInBodies(id: string, q: string): ReadonlySet<string> | undefined {
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = useInfiniteQuery(eventSearchQuery(id, q));
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  return useMemo(() => data && new Set(data.pages.flatMap(({ ids }) => ids)), [data]);
}

/** Ask for everything of the session that is on view and may have changed. */
async function refreshed(client: QueryClient, id: string): Promise<void> {
  const first: QueryKey[] = [sessionQuery(id).queryKey, timelineQuery(id).queryKey];
  // A first answer that is still on its way may tell of a time before the news: asked again when it refused.
  const early = first.filter((queryKey) => {
    const state = client.getQueryState(queryKey);
    return state?.fetchStatus === "fetching" && state.data === undefined;
  });
  await Promise.all([
    ...first.map((queryKey) => client.refetchQueries({ queryKey, exact: true })),
    client.refetchQueries({ queryKey: ["logs", id], type: "active" }),
    client.refetchQueries({ queryKey: ["ledger", id], type: "active" }),
    client.refetchQueries({ queryKey: ["event-search", id], type: "active" }),
    // An ended event never changes: only what was still open, or not there yet, is asked for again.
    client.refetchQueries({
      queryKey: ["event", id],
      type: "active",
      predicate: (query) => (query.state.data as EventDetail | undefined)?.status !== "ok",
    }),
  ]);
  const again = early.filter((queryKey) => client.getQueryState(queryKey)?.status === "error");
  // A session that has stopped changes what its open events are called: the timeline is told anew.
  const told = client.getQueryData(timelineQuery(id).queryKey);
  const hasStopped = client.getQueryData(sessionQuery(id).queryKey)?.state !== "running";
  if (told?.wasRunning && hasStopped) again.push(timelineQuery(id).queryKey);
  await Promise.all(again.map((queryKey) => client.refetchQueries({ queryKey, exact: true })));
}

/** Whether readers may have changed its name, tags or note since it was asked for. */
function isOld(client: QueryClient, id: string): boolean {
  return Date.now() - (client.getQueryState(sessionQuery(id).queryKey)?.dataUpdatedAt ?? 0) > FRESH_MS;
}

/** Whether news may have been missed: an ended session that is known stays as it is, its events may still be travelling. */
function mayHaveMoved(client: QueryClient, id: string): boolean {
  const session = client.getQueryData<SessionDetail>(sessionQuery(id).queryKey);
  return session === undefined || session.state === "running" || client.getQueryState(timelineQuery(id).queryKey)?.status === "error";
}
