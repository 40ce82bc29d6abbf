/** What pages ask for, as query options: one key and one fetcher for each thing the server knows. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request, requestRecord, requestWhole, withQuery } from "./client";
import { arrangeAnswer, type SessionTimeline } from "./arranging";
import type { Analytics, EventDetail, Facets, Health, Ledger, LogPage, SessionDetail, SessionPage, SessionsEdited } from "./types";

/** The filters of a session list, by the names of the route's query parameters. */
export interface SessionFilters {
  q?: string;
  tag?: string[];
  state?: string[];
  since?: string;
  until?: string;
  model?: string[];
  agent?: string[];
  tool?: string[];
  user?: string[];
  /** Whole names of sessions. */
  name?: string[];
  /** Types of errors; `true` and `false` for with and without. */
  error?: string[];
  /** What sessions have besides, all of it: `model:`, `agent:` or `tool:` with a name, `error:` with an error. */
  also?: string[];
  min_cost?: string;
  min_duration?: string;
}

export interface SessionOrder {
  sort: string;
  order: "asc" | "desc";
}

/** Sessions of the first page, a large screen's (public/boot.js asks for as many), and of those after it: who scrolls wants many. */
const FIRST_PAGE = 50;
const NEXT_PAGE = 500;

const session = (id: string) => `/api/sessions/${encodeURIComponent(id)}`;

export function fetchSessions(
  filters: SessionFilters,
  order: SessionOrder,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<SessionPage> {
  return request(withQuery("/api/sessions", { ...filters, ...order, limit: cursor ? NEXT_PAGE : FIRST_PAGE, cursor }), { signal });
}

export function sessionQuery(id: string) {
  return queryOptions({
    queryKey: ["session", id],
    queryFn: ({ signal }) => request<SessionDetail>(session(id), { signal }),
  });
}

/** A session's events as they were told, and when. */
export interface ToldTimeline extends SessionTimeline {
  /** The server's clock when it was asked, unix milliseconds; 0 when it did not say. */
  readonly asOf: number;
  /** Whether the session ran then: when it stops, events that never ended change without being told anew. */
  readonly wasRunning: boolean;
}

/** More events than this are not asked for again each time one is added. */
const MANY_EVENTS = 2_000;
/** What was received up to so long before an answer may have been stored after it. */
const STORING_MS = 10_000;

export function timelineQuery(id: string) {
  return queryOptions({
    queryKey: ["timeline", id],
    queryFn: async ({ signal, client, queryKey }): Promise<ToldTimeline> => {
      const before = client.getQueryData<ToldTimeline>(queryKey);
      const now = client.getQueryData<SessionDetail>(sessionQuery(id).queryKey);
      const known =
        before && before.asOf > 0 && before.wasRunning && now?.state === "running" && before.table.count > MANY_EVENTS ? before : undefined;
      const [{ bytes, headers }, of] = await Promise.all([
        requestWhole(withQuery(`${session(id)}/timeline`, { fields: "drawing", after: known && known.asOf - STORING_MS }), { signal }),
        client.ensureQueryData(sessionQuery(id)),
      ]);
      const timeline = await arrangeAnswer(bytes, { startedAt: of.started_at, isJson: headers.get("Content-Type") === "application/json", known });
      return { ...timeline, asOf: Number(headers.get("Timeline-At") ?? 0), wasRunning: of.state === "running" };
    },
    // The table is rebuilt whole; comparing 50,000 rows with the last ones would cost more than it saves.
    structuralSharing: false,
  });
}

/** What of an event the program gave as it pleased. */
const RECORDED = ["input", "output", "messages", "attributes", "resource", "events", "links"] as const;

/** An event as it is shown: what its input and output hold is told once. */
export function eventQuery(id: string, eventId: string) {
  return queryOptions({
    queryKey: ["event", id, eventId],
    queryFn: ({ signal }) => readEvent(id, eventId, true, signal),
    staleTime: 60_000,
  });
}

/** An event with everything the server holds of it. */
export function wholeEventQuery(id: string, eventId: string) {
  return queryOptions({
    queryKey: ["event", id, eventId, "whole"],
    queryFn: ({ signal }) => readEvent(id, eventId, false, signal),
    staleTime: 60_000,
  });
}

function readEvent(id: string, eventId: string, once: boolean, signal: AbortSignal): Promise<EventDetail> {
  return requestRecord<EventDetail>(withQuery(`${session(id)}/events/${encodeURIComponent(eventId)}`, { once: once || null }), RECORDED, { signal });
}

/** Ids of the events whose text, bodies included, contains the query, page by page: what the browser cannot search itself. */
export function eventSearchQuery(id: string, q: string) {
  return infiniteQueryOptions({
    queryKey: ["event-search", id, q],
    queryFn: async ({ signal, pageParam }) => {
      const page = await request<{ events: { event_id: string }[]; next_cursor: string | null }>(
        withQuery(`${session(id)}/events`, { q, limit: 1000, cursor: pageParam }),
        { signal },
      );
      return { ids: page.events.map((event) => event.event_id), after: page.next_cursor };
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ after }) => after,
    enabled: q.trim().length > 1,
    structuralSharing: false,
    staleTime: 5_000,
  });
}

/** A session's log records from a severity on, page by page. */
export function logsQuery(id: string, minSeverity: number, q: string) {
  return infiniteQueryOptions({
    queryKey: ["logs", id, minSeverity, q],
    queryFn: ({ signal, pageParam }) =>
      request<LogPage>(withQuery(`${session(id)}/logs`, { limit: 500, min_severity: minSeverity || null, q, cursor: pageParam }), { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

/** The values of one filter, among the sessions that pass the others. */
export function facetsQuery(facet: keyof Facets, filters: SessionFilters) {
  return queryOptions({
    queryKey: ["facets", facet, filters],
    queryFn: ({ signal }) => request<Facets>(withQuery("/api/sessions/facets", { ...filters, facet }), { signal }),
    staleTime: 2_000,
    placeholderData: keepPreviousData,
  });
}

export interface SessionEdit extends TagChange {
  name?: string;
  tags?: string[];
  note?: string;
}

export function editSession(id: string, edit: SessionEdit): Promise<SessionDetail> {
  return request(session(id), { method: "PATCH", body: edit });
}

/** Tags that come and go; those that others give a session meanwhile stay. */
export interface TagChange {
  add_tags?: string[];
  remove_tags?: string[];
}

export function withTag(tag: string): TagChange {
  return { add_tags: [tag] };
}

export function withoutTag(tag: string): TagChange {
  return { remove_tags: [tag] };
}

/** What becomes of these tags. */
export function retagged(tags: readonly string[], { add_tags = [], remove_tags = [] }: TagChange): string[] {
  return [...new Set([...tags, ...add_tags])].filter((tag) => !remove_tags.includes(tag));
}

/** Change the tags of several sessions; those that are gone hold the others up in nothing. */
export function editTags(ids: readonly string[], change: TagChange): Promise<SessionsEdited> {
  return request("/api/sessions", { method: "PATCH", body: { sessions: ids, ...change } });
}

export function deleteSessions(ids: readonly string[]): Promise<SessionsEdited> {
  return request("/api/sessions/delete", { method: "POST", body: { sessions: ids } });
}

export function deleteSession(id: string): Promise<unknown> {
  return request(session(id), { method: "DELETE" });
}

/** What each process sent, what is stored, what is missing. */
export function ledgerQuery(id: string) {
  return queryOptions({
    queryKey: ["ledger", id],
    queryFn: ({ signal }) => request<Ledger>(`${session(id)}/ledger`, { signal }),
  });
}

/** What a session can be taken away as. */
export const FORMATS = [
  ["html", "One page (HTML), to read offline"],
  ["json", "JSON"],
  ["otlp", "OpenTelemetry (OTLP)"],
  ["csv", "CSV"],
  ["parquet", "Parquet"],
] as const;
export type Format = (typeof FORMATS)[number][0];

export function exportUrl(id: string, format: string): string {
  return withQuery(`${session(id)}/export`, { format });
}

/** Where a zip archive with a file for each of these sessions is. */
export function archiveUrl(ids: readonly string[], format: Format): string {
  return withQuery("/api/export", { session: ids, format, each: true });
}

/** How many sessions there are, whatever is filtered. */
export const totalQuery = queryOptions({
  queryKey: ["total"],
  queryFn: async ({ signal }) => (await request<SessionPage>("/api/sessions?limit=1", { signal })).total,
  staleTime: 10_000,
});

/** How many sessions run now. */
export const runningQuery = queryOptions({
  queryKey: ["running"],
  queryFn: async ({ signal }) => (await request<SessionPage>("/api/sessions?state=running&limit=1", { signal })).total,
  staleTime: 2_000,
});

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => request<Health>("/healthz", { signal }),
  staleTime: 60_000,
});

/** Sessions by state over time, for the bars above the list. */
export function volumeQuery(filters: SessionFilters, interval: string) {
  return queryOptions({
    queryKey: ["volume", filters, interval],
    queryFn: ({ signal }) => request<Analytics>(withQuery("/api/analytics", { ...filters, interval, latency: "false" }), { signal }),
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
}
