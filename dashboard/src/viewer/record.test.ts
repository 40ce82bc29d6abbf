import { expect, test } from "vitest";
import { answering, readRecord } from "./record";

const event = (id: string, parent: string | null, at: string, more: object = {}) => ({
  event_id: id,
  parent_id: parent,
  kind: "tool",
  name: id,
  agent: null,
  started_at: at,
  duration_ms: 5,
  status: "ok",
  model: null,
  tokens: { total: null },
  cost_usd: null,
  error_type: null,
  error_message: null,
  input: null,
  ...more,
});

const written = {
  session: { session_id: "s", started_at: "2026-11-20T10:00:00.000000Z" },
  events: [
    event("a", null, "2026-11-20T10:00:00.001500Z", { input: { city: "Basel" } }),
    event("b", "a", "2026-11-20T10:00:01.000000Z", { tokens: { total: 7 } }),
  ],
  logs: [{ severity: 9, body: "asking" }, { severity: 17, body: "gave up" }],
};

/** As the server writes it into the file. */
const fileOf = ({ session, events, logs }: { session: object; events: readonly object[]; logs: readonly object[] }) =>
  `{"session":${JSON.stringify(session)},"events":[\n${events.map((one) => JSON.stringify(one).replaceAll("<", "\\u003c")).join(",\n")}\n],"logs":${JSON.stringify(logs)}}`;
const recorded = readRecord(fileOf(written));

const ask = async (path: string) => {
  const answer = await answering(recorded)(path, {});
  return [answer.status, await answer.json()] as const;
};

test("the record answers as the server would", async () => {
  expect(await ask("/api/sessions/s")).toEqual([200, recorded.session]);
  expect((await ask("/api/sessions/s/events/b"))[1]).toEqual(written.events[1]);
  const [, timeline] = await ask("/api/sessions/s/timeline?fields=drawing");
  expect(timeline).toMatchObject({ event_id: ["a", "b"], parent_id: [null, "a"], start_ms: [1.5, 1000], tokens_total: [null, 7] });
  expect((await ask("/api/sessions/s/logs?min_severity=13&limit=500"))[1].logs).toEqual([recorded.logs[1]]);
  expect((await ask("/api/sessions/s/logs?q=ASK"))[1].logs).toEqual([recorded.logs[0]]);
});

test("a session that was running has lasted until it was last heard from", async () => {
  const running = { ...written.session, state: "running", duration_ms: null, last_seen_at: "2026-11-20T10:00:02.500000Z" };
  const answer = await answering(readRecord(fileOf({ ...written, session: running })))("/api/sessions/s", {});
  expect(((await answer.json()) as { duration_ms: number }).duration_ms).toBe(2500);
});

test("a search looks into bodies, and what is not in the file is not found", async () => {
  const [, found] = await ask("/api/sessions/s/events?q=basel&limit=1000");
  expect(found.events.map((one: { event_id: string }) => one.event_id)).toEqual(["a"]);
  for (const path of ["/api/sessions/s/events/zz", "/api/sessions/s/ledger", "/api/analytics", "/api/sessions/s/events/__proto__"]) {
    expect((await ask(path))[0]).toBe(404);
  }
});

test("a record of no event, and one of texts that look like its lines", async () => {
  expect(readRecord(fileOf({ ...written, events: [] })).events).toEqual([]);
  const odd = { ...written, events: [event("c", null, "2026-11-20T10:00:00Z", { input: '},\n{"<b>' })] };
  const asking = answering(readRecord(fileOf(odd)));
  expect(((await (await asking("/api/sessions/s/events/c", {})).json()) as { input: string }).input).toBe('},\n{"<b>');
  for (const q of ['},\n{"<b>', "<B>"]) {
    const found = await (await asking(`/api/sessions/s/events?q=${encodeURIComponent(q)}`, {})).json();
    expect((found as { events: object[] }).events).toHaveLength(1);
  }
});

test("an event's text stays as it was written, all digits too", async () => {
  const text = fileOf(written).replace('"city":"Basel"', '"city":12345678901234567890');
  expect(await (await answering(readRecord(text))("/api/sessions/s/events/a", {})).text()).toContain(":12345678901234567890");
});
