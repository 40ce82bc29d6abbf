/** A session that stands in the page as JSON, answering as the server would. */

import type { Transport } from "../api/client";
import type { EventDetail, LogPage, SessionDetail, Timeline } from "../api/types";
import { epochMicros } from "../model/units";

/** What a file holds: what every event is drawn from, and the text of each. */
export interface Recorded {
  readonly session: SessionDetail;
  readonly events: readonly Drawn[];
  readonly logs: LogPage["logs"];
  /** The JSON of the events, in their order. */
  readonly texts: readonly string[];
}

type Drawn = Pick<
  EventDetail,
  | "event_id"
  | "parent_id"
  | "kind"
  | "name"
  | "agent"
  | "started_at"
  | "duration_ms"
  | "status"
  | "model"
  | "tokens"
  | "cost_usd"
  | "error_type"
  | "error_message"
>;

/** Read the file's JSON, an event a line. Bodies are read when they are asked for, exactly: all at once they take long. */
export function readRecord(text: string): Recorded {
  const lines = text.split("\n");
  const [head, tail] = [lines[0], lines.at(-1) ?? ""];
  const texts = lines.slice(1, -1).filter((line) => line !== "").map((line) => (line.endsWith(",") ? line.slice(0, -1) : line));
  return {
    session: (JSON.parse(`${head}]}`) as { session: SessionDetail }).session,
    events: texts.map((one) => drawn(JSON.parse(one) as EventDetail)),
    logs: (JSON.parse(`{"events":[${tail}`) as { logs: LogPage["logs"] }).logs,
    texts,
  };
}

function drawn(event: EventDetail): Drawn {
  const { event_id, parent_id, kind, name, agent, started_at, duration_ms, status, model, tokens, cost_usd, error_type, error_message } = event;
  return { event_id, parent_id, kind, name, agent, started_at, duration_ms, status, model, tokens, cost_usd, error_type, error_message };
}

/** Answer the session routes from the record; everything else is not there. */
export function answering(recorded: Recorded): Transport {
  const placeById = new Map(recorded.events.map((event, place) => [event.event_id, place]));
  return async (path) => {
    const url = new URL(path, "http://file.invalid");
    const [, api, noun, , part, id] = url.pathname.split("/");
    const found = api === "api" && noun === "sessions" ? one(part, id, url.searchParams) : undefined;
    return found === undefined
      ? Response.json({ error: { code: "not_found", message: "This file does not hold it.", hint: "" } }, { status: 404 })
      : new Response(found, { headers: { "Content-Type": "application/json" } });
  };

  function one(part: string | undefined, id: string | undefined, asked: URLSearchParams): string | undefined {
    const query = JSON.stringify(asked.get("q") ?? "").slice(1, -1).toLowerCase();
    if (part === undefined) return JSON.stringify(still(recorded.session));
    if (part === "timeline") return JSON.stringify(columns(recorded));
    if (part === "logs") {
      const least = Number(asked.get("min_severity") ?? 0);
      const logs = recorded.logs.filter((line) => line.severity >= least && holds(JSON.stringify(line), query));
      return JSON.stringify({ logs, next_cursor: null });
    }
    if (part !== "events") return undefined;
    if (id !== undefined) return recorded.texts[placeById.get(decodeURIComponent(id)) ?? -1];
    // As the file writes it.
    const written = query.replaceAll("<", "\\u003c");
    return JSON.stringify({ events: recorded.events.filter((_, place) => holds(recorded.texts[place], written)), next_cursor: null });
  }
}

/** A session that was running when it was saved has lasted until it was last heard from. */
function still(session: SessionDetail): SessionDetail {
  const lasted = (epochMicros(session.last_seen_at) - epochMicros(session.started_at)) / 1000;
  return session.state === "running" && Number.isFinite(lasted) ? { ...session, duration_ms: session.duration_ms ?? lasted } : session;
}

/** Whether a JSON text contains the query, written as in JSON and in small letters. */
function holds(json: string, query: string): boolean {
  return json.toLowerCase().includes(query);
}

function columns({ session, events }: Recorded): Partial<Timeline> {
  const base = epochMicros(session.started_at);
  return {
    event_id: events.map((event) => event.event_id),
    parent_id: events.map((event) => event.parent_id),
    kind: events.map((event) => event.kind),
    name: events.map((event) => event.name),
    agent: events.map((event) => event.agent),
    start_ms: events.map((event) => (Number.isNaN(base) ? 0 : (epochMicros(event.started_at) - base) / 1000)),
    duration_ms: events.map((event) => event.duration_ms),
    status: events.map((event) => event.status),
    model: events.map((event) => event.model),
    tokens_total: events.map((event) => event.tokens.total),
    cost_usd: events.map((event) => event.cost_usd),
    error_type: events.map((event) => event.error_type),
    error_message: events.map((event) => event.error_message),
  };
}
