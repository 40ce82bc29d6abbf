/** A session that stands in the page as JSON, answering as the server would. */

import type { Transport } from "../api/client";
import type { EventDetail, LogPage, SessionDetail, Timeline } from "../api/types";
import { writeJson } from "../model/json";
import { epochMicros } from "../model/units";

/** What `GET /api/sessions/{id}/export?format=json` answers. */
export interface Recorded {
  readonly session: SessionDetail;
  readonly events: readonly EventDetail[];
  readonly logs: LogPage["logs"];
}

/** Answer the session routes from the record; everything else is not there. `exact`: the same, with all digits. */
export function answering(recorded: Recorded, exact = recorded): Transport {
  const byId = new Map(exact.events.map((event) => [event.event_id, event]));
  return async (path) => {
    const url = new URL(path, "http://file.invalid");
    const [, api, noun, , part, id] = url.pathname.split("/");
    const found = api === "api" && noun === "sessions" ? one(part, id, url.searchParams) : undefined;
    return found === undefined
      ? Response.json({ error: { code: "not_found", message: "This file does not hold it.", hint: "" } }, { status: 404 })
      : new Response(writeJson(found), { headers: { "Content-Type": "application/json" } });
  };

  function one(part: string | undefined, id: string | undefined, asked: URLSearchParams): unknown {
    const query = asked.get("q") ?? "";
    if (part === undefined) return still(recorded.session);
    if (part === "timeline") return columns(recorded);
    if (part === "logs") {
      const least = Number(asked.get("min_severity") ?? 0);
      return { logs: recorded.logs.filter((line) => line.severity >= least && holds(line, query)), next_cursor: null };
    }
    if (part !== "events") return undefined;
    if (id !== undefined) return byId.get(decodeURIComponent(id));
    return { events: recorded.events.filter((event) => holds(event, query)), next_cursor: null };
  }
}

/** A session that was running when it was saved has lasted until it was last heard from. */
function still(session: SessionDetail): SessionDetail {
  const lasted = (epochMicros(session.last_seen_at) - epochMicros(session.started_at)) / 1000;
  return session.state === "running" && Number.isFinite(lasted) ? { ...session, duration_ms: session.duration_ms ?? lasted } : session;
}

/** Whether any text of an event or a log record contains the query. */
function holds(one: object, query: string): boolean {
  return JSON.stringify(one).toLowerCase().includes(JSON.stringify(query).slice(1, -1).toLowerCase());
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
