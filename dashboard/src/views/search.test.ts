import { expect, test } from "vitest";
import { ALL_TIME, filtersOf as askedOf, readAnalyticsSearch } from "./analytics/search";
import { readCompareSearch } from "./compare/search";
import { readSessionSearch } from "./session/search";
import { filtersOf, isFiltered, orderOf, readSessionsSearch, withAlso } from "./sessions/search";

test("the list's address is read with suspicion", () => {
  const search = readSessionsSearch({ q: "x", tag: "one", state: ["fail", "running"], sort: "cost", order: "sideways", evil: "1" });
  expect(search).toEqual({ q: "x", tag: ["one"], state: ["fail", "running"], sort: "cost" });
  expect(filtersOf(search)).toEqual({ q: "x", tag: ["one"], state: ["fail", "running"] });
  expect(orderOf(search)).toEqual({ sort: "cost", order: "desc" });
  expect(isFiltered(readSessionsSearch({ sort: "cost" }))).toBe(false);
  expect(readSessionsSearch({ state: ["nope", "fail"], since: "yesterday", until: "2026-11-01", min_cost: "abc", min_duration: "1.5s" })).toEqual({
    state: ["fail"],
    until: "2026-11-01",
    min_duration: "1.5s",
  });
});

test("what sessions have besides is named with its kind, and once", () => {
  expect(readSessionsSearch({ also: ["model:gpt-4o", "gpt-4o", "mood:good", "error:"] })).toEqual({ also: ["model:gpt-4o", "error:"] });
  expect(withAlso({ also: ["tool:a"] }, "tool:b")).toEqual({ also: ["tool:a", "tool:b"] });
  expect(withAlso({ also: ["tool:a"] }, "tool:a")).toEqual({ also: ["tool:a"] });
});

test("the address of analytics may name all time, and no other word", () => {
  expect(readAnalyticsSearch({ since: ALL_TIME, interval: "day" })).toEqual({ since: ALL_TIME, interval: "day" });
  expect(askedOf(readAnalyticsSearch({ since: ALL_TIME })).since).toBeUndefined();
  expect(readAnalyticsSearch({ since: "yesterday" })).toEqual({});
});

test("tags can be chosen before there are any", () => {
  expect(readCompareSearch({ tag_a: "", tag_b: "" })).toEqual({ tag_a: "", tag_b: "" });
  expect(readCompareSearch({ a: "", b: "x" })).toEqual({ b: "x" });
});

test("a session's address is read with suspicion", () => {
  expect(readSessionSearch({ view: "tree", event: "abc", hide: ["tool", "nonsense"], ruler: "clock", zoom: "1-2" })).toEqual({
    view: "tree",
    event: "abc",
    hide: ["tool"],
    ruler: "clock",
    zoom: "1-2",
  });
  expect(readSessionSearch({ view: "elsewhere", ruler: "sun", hide: undefined })).toEqual({});
});
