/** What the pages about many sessions ask for. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { request, withQuery } from "./client";
import type { SessionFilters } from "./queries";
import type { components } from "./schema";
import type { Analytics, SessionPage } from "./types";

type Schemas = components["schemas"];
export type Breakdown = Schemas["Breakdown"];
export type BreakdownGroup = Schemas["BreakdownGroup"];
export type Dimension = Breakdown["by"];
export type Failures = Schemas["Failures"];
export type Waste = Schemas["Waste"];
export type WasteHeading = Schemas["WasteHeading"];
export type Measures = Schemas["Measures"];

/** The series of what is asked for, by this clock. */
export interface Bucketing {
  interval: string;
  tz: string;
}

const KEPT = { staleTime: 10_000, placeholderData: keepPreviousData } as const;

export function analyticsQuery(filters: SessionFilters, { interval, tz }: Bucketing) {
  return queryOptions({
    queryKey: ["analytics", filters, interval, tz],
    queryFn: ({ signal }) => request<Analytics>(withQuery("/api/analytics", { ...filters, interval, tz }), { signal }),
    ...KEPT,
  });
}

export function breakdownQuery(filters: SessionFilters, { interval, tz }: Bucketing, by: Dimension, sort: string, order: string) {
  return queryOptions({
    queryKey: ["breakdown", filters, interval, tz, by, sort, order],
    queryFn: ({ signal }) =>
      request<Breakdown>(withQuery("/api/analytics/breakdown", { ...filters, interval, tz, by, sort, order }), { signal }),
    ...KEPT,
  });
}

export function failuresQuery(filters: SessionFilters) {
  return queryOptions({
    queryKey: ["failures", filters],
    queryFn: ({ signal }) => request<Failures>(withQuery("/api/analytics/errors", { ...filters, limit: 20 }), { signal }),
    ...KEPT,
  });
}

/** The sessions at the top of an order. */
export function foremostQuery(filters: SessionFilters, sort: "duration" | "cost") {
  return queryOptions({
    queryKey: ["foremost", filters, sort],
    queryFn: ({ signal }) => request<SessionPage>(withQuery("/api/sessions", { ...filters, sort, order: "desc", limit: 8 }), { signal }),
    ...KEPT,
  });
}

/** The latest sessions of a name, or of any. */
export function alikeQuery(name: string) {
  return queryOptions({
    queryKey: ["alike", name],
    queryFn: ({ signal }) => request<SessionPage>(withQuery("/api/sessions", { name: name ? [name] : undefined, limit: 8 }), { signal }),
  });
}

export function wasteQuery(filters: SessionFilters) {
  return queryOptions({
    queryKey: ["waste", filters],
    queryFn: ({ signal }) => request<Waste>(withQuery("/api/analytics/waste", { ...filters }), { signal }),
    ...KEPT,
  });
}

export type Comparison = Schemas["Comparison"];
export type ComparedRow = Schemas["ComparedRow"];
export type Cohorts = Schemas["Cohorts"];
export type CohortMetric = Schemas["CohortMetric"];

export function comparisonQuery(a: string, b: string) {
  return queryOptions({
    queryKey: ["comparison", a, b],
    queryFn: ({ signal }) => request<Comparison>(withQuery("/api/compare", { a, b }), { signal }),
    enabled: a !== "" && b !== "",
  });
}

export function cohortsQuery(tagA: string, tagB: string, since: string | undefined) {
  return queryOptions({
    queryKey: ["cohorts", tagA, tagB, since],
    queryFn: ({ signal }) => request<Cohorts>(withQuery("/api/compare/groups", { tag_a: tagA, tag_b: tagB, since }), { signal }),
    enabled: tagA !== "" && tagB !== "",
    placeholderData: keepPreviousData,
  });
}
