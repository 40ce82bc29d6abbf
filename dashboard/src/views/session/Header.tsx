/** A session's name, state and numbers. */

import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { isFile } from "../../api/client";
import { deleteSession, exportUrl, FORMATS } from "../../api/queries";
import type { SessionDetail } from "../../api/types";
import { count, grouped, usd } from "../../model/format";
import { day } from "../../model/time";
import { epochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Confirm, Copy, Menu } from "../../ui/controls";
import { useNarrow, useNow } from "../../ui/hooks";
import { StatePill } from "../../ui/marks";
import { READ_ONLY, useMayChange } from "../../ui/permission";
import { usePreference } from "../../ui/preferences";
import { Duration, Moment } from "../../ui/time";
import { leftList } from "../sessions/search";
import { leaveOut } from "../sessions/useSessionList";
import { Name, Tags } from "./Editable";
import { Recorded } from "./Recorded";
import { useEdits } from "./useEdits";

export function Header({ session: told, sessionId }: { session: SessionDetail | undefined; sessionId: string }) {
  const isNarrow = useNarrow();
  const { rename, retag, edited, failure, setFailure } = useEdits(sessionId);
  const mayChange = useMayChange();
  const session = told && { ...told, ...edited };
  return (
    <header className="head">
      <div className="crumb">
        {!isFile() && (
          <>
            <Link to="/sessions" search={leftList()}>
              Sessions
            </Link>
            <span aria-hidden="true">/</span>
          </>
        )}
        <Copy text={sessionId} label="Copy the session's id">
          <span className="mono">{oneLine(sessionId, 80)}</span>
        </Copy>
      </div>
      <div className="title">
        {session ? (
          <>
            <Name name={session.name} onChange={mayChange ? rename : null} />
            <StatePill state={session.state} reason={session.state === "success" ? null : session.state_reason} />
            <Tags tags={session.tags} onChange={mayChange ? (by) => retag(session.tags, by) : null} />
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
        {!isFile() && <Actions sessionId={sessionId} mayChange={mayChange} onFailure={setFailure} />}
      </div>
      {/* On a narrow screen it scrolls sideways: the keyboard must reach it. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <dl className="metrics" tabIndex={isNarrow ? 0 : undefined} aria-label="Figures of the session">
        {session && <Metrics session={session} />}
      </dl>
    </header>
  );
}

/** What can be done with a session as a whole: taken away, or deleted. */
function Actions({ sessionId, mayChange, onFailure }: { sessionId: string; mayChange: boolean; onFailure: (text: string) => void }) {
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const [isGoing, setGoing] = useState(false);
  const client = useQueryClient();
  const remove = async () => {
    setDeleting(false);
    setGoing(true);
    try {
      await deleteSession(sessionId);
      leaveOut(client, sessionId);
      await navigate({ to: "/sessions", search: leftList(), replace: true });
    } catch (error) {
      setGoing(false);
      onFailure(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="actions">
      <Menu label={<>Export <span aria-hidden="true">▾</span></>} align="right" name="Export">
        {(close) => (
          <div className="facet-list">
            {FORMATS.map(([format, name]) => (
              <a key={format} className="option" href={exportUrl(sessionId, format)} download onClick={close}>
                {name}
              </a>
            ))}
          </div>
        )}
      </Menu>
      <Link to="/compare" search={{ a: sessionId }} className="btn remove">
        Compare
      </Link>
      <button type="button" className="btn remove" disabled={!mayChange || isGoing} title={mayChange ? undefined : READ_ONLY} onClick={() => setDeleting(true)}>
        {isGoing ? "Deleting…" : "Delete"}
      </button>
      {isDeleting && (
        <Confirm title="Delete this session?" does="Delete" onConfirm={() => void remove()} onClose={() => setDeleting(false)}>
          Its events and logs go with it. This cannot be undone.
        </Confirm>
      )}
    </div>
  );
}

function Metrics({ session }: { session: SessionDetail }) {
  const { event_counts: counts, tokens } = session;
  const from = epochMicros(session.started_at);
  const zone = usePreference("zone");
  const isToday = day(from, zone) === day(useNow(60_000) * 1000, zone);
  return (
    <>
      <Metric name="Started">
        <Moment at={from} withDay={!isToday} />
      </Metric>
      <Metric name="Duration">
        <Duration ms={session.duration_ms} from={from} running={session.state === "running" && !isFile()} />
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
      <Metric name="Recorded">
        <Recorded session={session} />
      </Metric>
    </>
  );
}

function Metric({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
