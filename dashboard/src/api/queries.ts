/** What pages ask for, as query options: one key and one fetcher for each thing the server knows. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request, requestBytes, withQuery } from "./client";
import { arrangeAnswer, type SessionTimeline } from "./arranging";
import type { Analytics, EventDetail, Facets, Health, LogPage, SessionDetail, SessionPage } from "./types";

/** The filters of a session list, by the names of the route's query parameters. */
export interface SessionFilters {
  q?: string;
  tag?: string[];
  state?: string[];
  since?: string;
  until?: string;
  model?: string;
  agent?: string;
  tool?: string;
  user?: string;
  error?: string;
  min_cost?: string;
  min_duration?: string;
}

export interface SessionOrder {
  sort: string;
  order: "asc" | "desc";
}

export const PAGE = 100;

const session = (id: string) => `/api/sessions/${encodeURIComponent(id)}`;

export function fetchSessions(
  filters: SessionFilters,
  order: SessionOrder,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<SessionPage> {
  return request(withQuery("/api/sessions", { ...filters, ...order, limit: PAGE, cursor }), { signal });
}

export function sessionQuery(id: string) {
  return queryOptions({
    queryKey: ["session", id],
    queryFn: ({ signal }) => request<SessionDetail>(session(id), { signal }),
  });
}

export function timelineQuery(id: string) {
  return queryOptions({
    queryKey: ["timeline", id],
    queryFn: async ({ signal, client }): Promise<SessionTimeline> => {
      const [answer, of] = await Promise.all([
        requestBytes(`${session(id)}/timeline`, { signal }),
        client.ensureQueryData(sessionQuery(id)),
      ]);
      return arrangeAnswer(answer, of.started_at);
    },
    // The table is rebuilt whole; comparing 50,000 rows with the last ones would cost more than it saves.
    structuralSharing: false,
  });
}

export function eventQuery(id: string, eventId: string) {
  return queryOptions({
    queryKey: ["event", id, eventId],
    queryFn: ({ signal }) => request<EventDetail>(`${session(id)}/events/${encodeURIComponent(eventId)}`, { signal }),
    staleTime: 60_000,
  });
}

/** Ids of the events whose text, bodies included, contains the query: what the browser cannot search itself. */
export function eventSearchQuery(id: string, q: string) {
  return queryOptions({
    queryKey: ["event-search", id, q],
    queryFn: async ({ signal }): Promise<ReadonlySet<string>> => {
      const page = await request<{ events: { event_id: string }[] }>(
        withQuery(`${session(id)}/events`, { q, limit: 1000 }),
        { signal },
      );
      return new Set(page.events.map((event) => event.event_id));
    },
    enabled: q.trim().length > 1,
    structuralSharing: false,
    staleTime: 5_000,
  });
}

export function logsQuery(id: string) {
  return queryOptions({
    queryKey: ["logs", id],
    queryFn: ({ signal }) =>
      request<LogPage>(withQuery(`${session(id)}/logs`, { limit: 500 }), { signal }),
  });
}

export function facetsQuery(filters: SessionFilters) {
  return queryOptions({
    queryKey: ["facets", filters],
    queryFn: ({ signal }) =>
      request<Facets>(withQuery("/api/sessions/facets", { ...filters }), { signal }),
    staleTime: 2_000,
  });
}

export interface SessionEdit {
  name?: string;
  tags?: string[];
  note?: string;
}

export function editSession(id: string, edit: SessionEdit): Promise<SessionDetail> {
  return request(session(id), { method: "PATCH", body: edit });
}

export function deleteSession(id: string): Promise<unknown> {
  return request(session(id), { method: "DELETE" });
}

export function exportUrl(id: string, format: string): string {
  return withQuery(`${session(id)}/export`, { format });
}

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => request<Health>("/healthz", { signal }),
  staleTime: 60_000,
});

/** Sessions by state over time, for the bars above the list. */
export function volumeQuery(filters: SessionFilters, interval: string) {
  return queryOptions({
    queryKey: ["volume", filters, interval],
    queryFn: ({ signal }) => request<Analytics>(withQuery("/api/analytics", { ...filters, interval }), { signal }),
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
}
