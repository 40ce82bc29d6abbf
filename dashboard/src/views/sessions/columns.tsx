/** The columns of the session list: what each says, how wide it is, and which order it asks of the server. */

import { columnVisibilityFeature, createColumnHelper, tableFeatures } from "@tanstack/react-table";
import { Link } from "@tanstack/react-router";
import type { CSSProperties } from "react";
import type { Session } from "../../api/types";
import { compact, count, DASH, grouped, usd } from "../../model/format";
import { shortModel } from "../../model/naming";
import { epochMicros } from "../../model/units";
import { isolated, oneLine, visible } from "../../model/visible";
import { KindMark, StateDot } from "../../ui/marks";
import { Ago, Duration, useTold } from "../../ui/time";
import type { Sort } from "./search";
import { TagsCell } from "./TagsCell";

export const features = tableFeatures({ columnVisibilityFeature });
const column = createColumnHelper<typeof features, Session>();

export interface ColumnFacts {
  title: string;
  /** The narrowest and the widest of its CSS grid track; all narrowest ones fit a window of 1280 pixels. */
  least: number;
  most: string;
  sort?: Sort;
  numeric?: boolean;
  /** Not shown unless chosen. */
  extra?: boolean;
}

export const FACTS: Record<string, ColumnFacts> = {
  state: { title: "State", least: 22, most: "22px" },
  name: { title: "Session", least: 198, most: "2.4fr" },
  started: { title: "Started", least: 88, most: "98px", sort: "started" },
  duration: { title: "Duration", least: 66, most: "72px", sort: "duration", numeric: true },
  tags: { title: "Tags", least: 136, most: "1.1fr" },
  events: { title: "Events", least: 128, most: "0.9fr", sort: "events" },
  errors: { title: "Errors", least: 48, most: "52px", sort: "errors", numeric: true },
  tokens: { title: "Tokens", least: 54, most: "64px", sort: "tokens", numeric: true },
  cost: { title: "Cost", least: 66, most: "78px", sort: "cost", numeric: true },
  models: { title: "Models", least: 78, most: "0.9fr" },
  agents: { title: "Agents", least: 100, most: "0.7fr", extra: true },
  user: { title: "User", least: 80, most: "100px", extra: true },
  service: { title: "Service", least: 90, most: "110px", extra: true },
};

export const HIDDEN_AT_FIRST: Record<string, boolean> = Object.fromEntries(
  Object.entries(FACTS)
    .filter(([, facts]) => facts.extra)
    .map(([id]) => [id, false]),
);

function isRunning(session: Session): boolean {
  return session.state === "running";
}

export const COLUMNS = [
  column.display({ id: "state", enableHiding: false, cell: ({ row }) => <StateDot state={row.original.state} /> }),
  column.display({ id: "name", enableHiding: false, cell: ({ row }) => <Name session={row.original} /> }),
  column.display({ id: "started", cell: ({ row }) => <Ago at={epochMicros(row.original.started_at)} /> }),
  column.display({
    id: "duration",
    cell: ({ row: { original } }) => (
      <Duration ms={original.duration_ms} from={epochMicros(original.started_at)} running={isRunning(original)} />
    ),
  }),
  column.display({
    id: "tags",
    cell: ({ row }) => <TagsCell tags={row.original.tags} />,
  }),
  column.display({ id: "events", cell: ({ row }) => <Events session={row.original} /> }),
  column.display({
    id: "errors",
    cell: ({ row }) => {
      const errors = row.original.event_counts.error;
      return errors > 0 ? <b className="bad">{grouped(errors)}</b> : <span className="faint">0</span>;
    },
  }),
  column.display({ id: "tokens", cell: ({ row }) => count(row.original.tokens.total) }),
  column.display({ id: "cost", cell: ({ row }) => <Cost usd={row.original.cost_usd} /> }),
  column.display({ id: "models", cell: ({ row }) => <Names names={row.original.models} shown={shortModel} /> }),
  column.display({ id: "agents", cell: ({ row }) => <Names names={row.original.agents} /> }),
  column.display({ id: "user", cell: ({ row }) => visible(row.original.user_id ?? "") || DASH }),
  column.display({ id: "service", cell: ({ row }) => visible(row.original.service ?? "") || DASH }),
];

function Name({ session }: { session: Session }) {
  const reason = useTold(session.state === "success" ? null : session.state_reason);
  const name = oneLine(session.name, 160) || "unnamed";
  return (
    <>
      <Link className="row-link" to="/sessions/$sessionId" params={{ sessionId: session.session_id }} title={name} preload={false}>
        {name}
      </Link>
      {reason && (
        <small title={visible(reason)} className={session.state === "fail" ? "bad" : undefined}>
          {oneLine(reason, 120)}
        </small>
      )}
    </>
  );
}

/** The cost, and how it stands to the dear ones of the list (`--dear` is the table's). */
function Cost({ usd: cost }: { usd: number | null }) {
  return (
    <>
      {usd(cost)}
      {cost !== null && cost > 0 && <i className="cost-bar" style={{ "--cost": cost } as CSSProperties} />}
    </>
  );
}

const SHOWN = ["llm", "tool", "agent", "operation", "action", "retrieval", "embedding", "guardrail"] as const;

/** The kinds that occur, most important first; the rest are in the title. */
function Events({ session: { event_counts: counts } }: { session: Session }) {
  const present = SHOWN.filter((kind) => counts[kind] > 0);
  const title = present.map((kind) => `${grouped(counts[kind])} ${kind}`).join(", ");
  // Four small numbers fit, or two large ones: a sign without its number says nothing.
  const letters = present.slice(0, 4).reduce((sum, kind) => sum + compact(counts[kind]).length, 0);
  const room = letters > 11 ? 2 : letters > 8 ? 3 : 4;
  if (present.length === 0) return <span className="faint">{counts.total > 0 ? grouped(counts.total) : DASH}</span>;
  return (
    <span className="events" title={title} aria-label={title}>
      {present.slice(0, room).map((kind) => (
        <i key={kind}>
          <KindMark kind={kind} />
          {compact(counts[kind])}
        </i>
      ))}
      {present.length > room && <i className="faint">+{present.length - room}</i>}
    </span>
  );
}

function Names({ names, shown = String }: { names: string[]; shown?: (name: string) => string }) {
  const title = names.map((name) => oneLine(name, 60)).join(", ");
  const text = [...new Set(names.map((name) => isolated(oneLine(shown(name), 60))))].join(", ");
  return text ? <span title={title}>{text}</span> : <span className="faint">{DASH}</span>;
}
