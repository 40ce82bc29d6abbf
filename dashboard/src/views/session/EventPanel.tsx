/** The selected event: what it was, what went in and came out, what it cost and why, how it failed, all that is known. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, isFile } from "../../api/client";
import { eventQuery, wholeEventQuery } from "../../api/queries";
import type { EventDetail } from "../../api/types";
import { writeJson } from "../../model/json";
import { KINDS } from "../../model/kinds";
import { messagesOf } from "../../model/messages";
import { type EventTable, statusName } from "../../model/table";
import type { EpochMicros } from "../../model/units";
import { oneLine, visible } from "../../model/visible";
import { Copy, Failure } from "../../ui/controls";
import { KindMark, StatusPill } from "../../ui/marks";
import { Long } from "../../ui/text";
import { Attributes, More } from "./Attributes";
import { Chat, Value } from "./Chat";
import { EventNumbers } from "./EventNumbers";
import { ModelName } from "./ModelName";

interface Props {
  sessionId: string;
  eventId: string;
  table: EventTable;
  base: EpochMicros;
  onSelect: (id: string | undefined) => void;
}

export function EventPanel({ sessionId, eventId, table, base, onSelect }: Props) {
  const { data, error, refetch } = useQuery(eventQuery(sessionId, eventId));
  const row = table.ids.rowOf(eventId);
  const parent = row < 0 ? -1 : table.parents[row];
  // The timeline knows the essentials already: nothing waits for the bodies.
  const kind = data?.kind ?? (row < 0 ? "operation" : KINDS[table.kinds[row]]);
  const name = data?.name ?? (row < 0 ? "" : table.names.at(row));
  const agent = data?.agent ?? (row < 0 ? "" : table.agents.at(row));
  const isGone = row < 0 && error instanceof ApiError && error.status === 404;
  const status = row < 0 ? (data?.status ?? "ok") : statusName(table.statuses[row]);
  return (
    <div className="event" data-event={eventId} data-loaded={data !== undefined}>
      <header>
        <h2>
          {!isGone && <KindMark kind={kind} />}
          <span title={visible(name)}>
            {isGone ? "Unknown event" : oneLine(name, 120) || kind} <ModelName table={table} row={row} />
          </span>
        </h2>
        <StatusPill status={status} />
        <span className="grow" />
        {!isFile() && (
          <Copy text={`${location.origin}/sessions/${encodeURIComponent(sessionId)}?event=${eventId}`} label="Copy a link to the event">
            <span className="faint">link</span>
          </Copy>
        )}
        <Copy text={eventId} label="Copy the event's id">
          <span className="mono faint">{eventId.slice(0, 4)}…{eventId.slice(-2)}</span>
        </Copy>
        <button type="button" className="icon" aria-label="Close the event" title="Close (Esc)" onClick={() => onSelect(undefined)}>
          ✕
        </button>
      </header>
      <p className="event-line dim">
        {!isGone && kind}
        {agent && ` · by ${oneLine(agent, 60)}`}
        {data?.model && ` · ${oneLine(data.model, 60)}`}
        {data?.provider && ` · ${oneLine(data.provider, 40)}`}
        {parent >= 0 && (
          <>
            {" · in "}
            <button type="button" className="link" onClick={() => onSelect(table.ids.at(parent))}>
              {oneLine(table.names.at(parent), 60)} <ModelName table={table} row={parent} />
            </button>
          </>
        )}
      </p>
      {error ? (
        isGone ? (
          <p className="dim">This event is not in the session (any more).</p>
        ) : (
          <Failure error={error} retry={() => void refetch()} />
        )
      ) : (
        data && (
          <>
            <EventNumbers event={data} table={table} row={row} base={base} />
            {data.error && <ErrorBox error={data.error} />}
            <Bodies event={data} />
            <Rest sessionId={sessionId} event={data} />
          </>
        )
      )}
    </div>
  );
}

export function ErrorBox({ error }: { error: NonNullable<EventDetail["error"]> }) {
  return (
    <div className="error-box">
      <header>
        <b>{oneLine(error.type ?? "Error", 120)}</b>
        <span className="grow" />
        <Copy text={[error.type, error.message, error.stack].filter(Boolean).join("\n")} label="Copy the error" />
      </header>
      {error.message && <Long text={error.message} />}
      {error.stack && (
        <details open={error.stack.length < 4000}>
          <summary>Stack</summary>
          <pre className="stack">
            <Long text={error.stack} mono />
          </pre>
        </details>
      )}
    </div>
  );
}

function Bodies({ event }: { event: EventDetail }) {
  const isChat = event.input_format === "messages" || event.output_format === "messages";
  if (isChat) {
    const messages = messagesOf(event);
    return (
      <>
        {event.input_format !== "messages" && event.input != null && <Body title="Input" value={event.input} />}
        <Chat messages={messages} />
        {event.output_format !== "messages" && event.output != null && <Body title="Output" value={event.output} />}
      </>
    );
  }
  return (
    <>
      {event.input != null && <Body title="Input" value={event.input} />}
      {event.output != null && <Body title="Output" value={event.output} />}
      {event.input == null && event.output == null && !event.error && <p className="faint">No input or output was recorded.</p>}
    </>
  );
}

function Body({ title, value }: { title: string; value: unknown }) {
  return (
    <section className="body" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <span className="grow" />
        <Copy text={typeof value === "string" ? value : () => writeJson(value, 2)} label={`Copy the ${title.toLowerCase()}`} />
      </header>
      <div className="body-value">
        <Value value={value} />
      </div>
    </section>
  );
}

function Rest({ sessionId, event }: { sessionId: string; event: EventDetail }) {
  const [wholeId, setWholeId] = useState("");
  const { data: whole, error, refetch } = useQuery({ ...wholeEventQuery(sessionId, event.event_id), enabled: wholeId === event.event_id });
  const ids = {
    event_id: event.event_id,
    trace_id: event.trace_id,
    parent_id: event.parent_id,
    source_id: event.source_id,
    response_id: event.response_id,
    finish_reason: event.finish_reason,
    scope: event.scope ? [event.scope.name, event.scope.version].filter(Boolean).join(" ") : null,
  };
  const known = Object.fromEntries(Object.entries(ids).filter(([, value]) => value));
  return (
    <>
      <More title="Attributes" count={Object.keys(event.attributes).length + Object.keys(event.repeats ?? {}).length}>
        {error && <Failure error={error} retry={() => void refetch()} />}
        <Attributes
          values={whole?.attributes ?? event.attributes}
          repeats={whole ? undefined : event.repeats}
          onWhole={() => setWholeId(event.event_id)}
        />
      </More>
      {event.events.length > 0 && (
        <More title="Span events" count={event.events.length}>
          <Value value={event.events} />
        </More>
      )}
      {event.links.length > 0 && (
        <More title="Links" count={event.links.length}>
          <Value value={event.links} />
        </More>
      )}
      <More title="Process" count={Object.keys(event.resource).length}>
        <Attributes values={event.resource} />
      </More>
      <More title="Identity" count={Object.keys(known).length}>
        <Attributes values={known} />
      </More>
    </>
  );
}
