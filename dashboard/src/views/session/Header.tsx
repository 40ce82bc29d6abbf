/** A session's name, state and numbers. */

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { editSession, exportUrl, type SessionEdit } from "../../api/queries";
import type { SessionDetail } from "../../api/types";
import { count, grouped, usd } from "../../model/format";
import { epochMicros } from "../../model/units";
import { oneLine, visible } from "../../model/visible";
import { Copy, Menu } from "../../ui/controls";
import { StatePill } from "../../ui/marks";
import { Duration, Moment } from "../../ui/time";

export function Header({ session, sessionId }: { session: SessionDetail | undefined; sessionId: string }) {
  const client = useQueryClient();
  const [failure, setFailure] = useState("");
  const edit = async (change: SessionEdit) => {
    setFailure("");
    try {
      await editSession(sessionId, change);
      await client.refetchQueries({ queryKey: ["session", sessionId] });
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <header className="head">
      <div className="crumb">
        <Link to="/sessions">Sessions</Link>
        <span aria-hidden="true">/</span>
        <Copy text={sessionId} label="Copy the session's id">
          <span className="mono">{oneLine(sessionId, 80)}</span>
        </Copy>
      </div>
      <div className="title">
        {session ? (
          <>
            <Name key={session.name} name={session.name} onChange={(name) => void edit({ name })} />
            <StatePill state={session.state} reason={session.state === "success" ? null : session.state_reason} />
            <Tags tags={session.tags} onChange={(tags) => void edit({ tags })} />
          </>
        ) : (
          <h1>&nbsp;</h1>
        )}
        {failure && (
          <span className="bad" role="alert">
            {failure}
          </span>
        )}
        <span className="grow" />
        <Menu label={<>Export <span aria-hidden="true">▾</span></>} align="right" name="Export">
          {(close) => (
            <div className="facet-list">
              {(
                [
                  ["json", "JSON"],
                  ["otlp", "OpenTelemetry (OTLP)"],
                  ["csv", "CSV"],
                  ["parquet", "Parquet"],
                ] as const
              ).map(([format, name]) => (
                <a key={format} className="option" href={exportUrl(sessionId, format)} download onClick={close}>
                  {name}
                </a>
              ))}
            </div>
          )}
        </Menu>
      </div>
      <dl className="metrics">{session && <Metrics session={session} />}</dl>
    </header>
  );
}

function Metrics({ session }: { session: SessionDetail }) {
  const { event_counts: counts, tokens, ledger } = session;
  const from = epochMicros(session.started_at);
  const isWhole = ledger.sent === null || ledger.sent === ledger.stored;
  return (
    <>
      <Metric name="Started">
        <Moment at={from} />
      </Metric>
      <Metric name="Duration">
        <Duration ms={session.duration_ms} from={from} running={session.state === "running"} />
      </Metric>
      <Metric name="Cost">{usd(session.cost_usd)}</Metric>
      <Metric name="Tokens">
        {count(tokens.total)}
        {(tokens.cache_read ?? 0) > 0 && <span className="aside"> {count(tokens.cache_read)} cached</span>}
      </Metric>
      <Metric name="LLM calls">{grouped(counts.llm)}</Metric>
      <Metric name="Tool calls">{grouped(counts.tool)}</Metric>
      <Metric name="Events">{grouped(counts.total)}</Metric>
      <Metric name="Errors">
        <span className={counts.error > 0 ? "bad" : undefined}>{grouped(counts.error)}</span>
      </Metric>
      <Metric
        name="Recorded"
        title={
          isWhole
            ? "Every event the program recorded is in the store."
            : "Events the program recorded, and those that have arrived. What is missing is still in its journal, or was lost."
        }
      >
        {ledger.sent === null ? (
          `${grouped(ledger.stored)} stored`
        ) : (
          <span className={isWhole ? undefined : "warn"}>
            {grouped(ledger.sent)} sent · {grouped(ledger.stored)} stored
          </span>
        )}
      </Metric>
    </>
  );
}

function Metric({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Name({ name, onChange }: { name: string; onChange: (name: string) => void }) {
  const [isEditing, setEditing] = useState(false);
  if (!isEditing) {
    return (
      <h1 title={visible(name)}>
        <button type="button" className="name" title="Rename" onClick={() => setEditing(true)}>
          {oneLine(name, 200) || "unnamed"}
        </button>
      </h1>
    );
  }
  const done = (text: string) => {
    setEditing(false);
    if (text.trim() && text !== name) onChange(text.trim());
  };
  return (
    <h1>
      <input
        className="rename"
        aria-label="Session name"
        defaultValue={name}
        ref={(field) => field?.select()}
        onBlur={(event) => done(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") {
            event.stopPropagation();
            setEditing(false);
          }
        }}
      />
    </h1>
  );
}

function Tags({ tags, onChange }: { tags: string[]; onChange: (tags: string[]) => void }) {
  const [isAdding, setAdding] = useState(false);
  return (
    <span className="tags">
      {tags.map((tag) => (
        <span key={tag} className="tag">
          {oneLine(tag, 40)}
          <button type="button" aria-label={`Remove the tag ${visible(tag)}`} onClick={() => onChange(tags.filter((one) => one !== tag))}>
            ×
          </button>
        </span>
      ))}
      {isAdding ? (
        <input
          className="add-tag"
          aria-label="New tag"
          ref={(field) => field?.focus()}
          onBlur={() => setAdding(false)}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.stopPropagation();
              setAdding(false);
            }
            if (event.key !== "Enter") return;
            const text = event.currentTarget.value.trim();
            setAdding(false);
            if (text && !tags.includes(text)) onChange([...tags, text]);
          }}
        />
      ) : (
        <button type="button" className="link faint" onClick={() => setAdding(true)}>
          + tag
        </button>
      )}
    </span>
  );
}
