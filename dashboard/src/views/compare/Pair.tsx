/** Two sessions: where they part first, then everything that differs, events aligned. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { type ComparedRow, type Comparison, comparisonQuery } from "../../api/insights";
import { live } from "../../api/live";
import { eventQuery } from "../../api/queries";
import type { EventDetail, SessionDetail } from "../../api/types";
import { rate } from "../../model/cost";
import { count, DASH, duration, grouped, plural, usd } from "../../model/format";
import { writeJson } from "../../model/json";
import { Pace } from "../../model/pace";
import { change, changed } from "../../model/span";
import { oneLine, visible } from "../../model/visible";
import { wordDiff } from "../../model/wordDiff";
import { Failure } from "../../ui/controls";
import { KindMark, StateDot, StatusPill } from "../../ui/marks";
import type { CompareSearch } from "./search";

const MOST_ROWS = 500;
const MOST_TOOLS = 30;
const REST_MS = 1_000;
const MOST_TEXT = 200_000;

interface Props {
  a: string;
  b: string;
  search: CompareSearch;
  onChange: (change: Partial<CompareSearch>, replace?: boolean) => void;
}

export function Pair({ a, b, search, onChange }: Props) {
  const { data, error, refetch } = useQuery(comparisonQuery(a, b));
  const first = data?.rows[data.first_divergence ?? -1];
  const texts = [useQuery(textOf(a, first?.a)), useQuery(textOf(b, first?.b))];
  const isLoaded = data !== undefined && !texts.some(({ isLoading }) => isLoading);
  const [isShown, setShown] = useState(false);
  if (isLoaded && !isShown) setShown(true);
  useRunning(a, b);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  // The first texts come with the rest, which they would push down.
  if (!data || (!isLoaded && !isShown)) return <p className="dim late">Comparing…</p>;
  // What an old address names may not be there.
  const chosen = data.rows[Number(search.row ?? Number.NaN)] ? Number(search.row) : data.first_divergence;
  const rows = data.rows.map((row, index) => ({ row, index })).filter(({ row }) => search.all || row.differs.length > 0);
  const differing = data.rows.filter(({ differs }) => differs.length > 0).length;
  return (
    <>
      {data.cut_off && <p className="warn">Only the first 2,000 events of each session are compared.</p>}
      <section className="card" aria-label="First divergence" data-divergence={data.first_divergence ?? ""}>
        <header>
          <h2>{chosen === data.first_divergence ? "First divergence" : `Row ${(chosen ?? 0) + 1}`}</h2>
          <span className="dim">{chosen !== null && data.rows[chosen] ? said(data.rows[chosen]) : ""}</span>
        </header>
        {chosen !== null && data.rows[chosen] ? (
          <Texts row={data.rows[chosen]} a={a} b={b} />
        ) : (
          <p className="dim card-empty">These sessions took the same way: same events, models, inputs and outputs.</p>
        )}
      </section>
      <Figures data={data} />
      <section className="card" aria-label="Events">
        <header>
          <h2>Events</h2>
          <span className="dim">
            {plural(differing, "row")} of {grouped(data.rows.length)} {differing === 1 ? "differs" : "differ"}
          </span>
          <span className="grow" />
          <label className="dim">
            <input
              type="checkbox"
              checked={search.all === "true"}
              onChange={(event) => onChange({ all: event.target.checked ? "true" : undefined }, true)}
            />{" "}
            Show the others too
          </label>
        </header>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key */}
        <div className="scroll" tabIndex={0} role="region" aria-label="Events, scrolls">
          <table className="figures">
            <thead>
              <tr>
                <th>A</th>
                <th>B</th>
                <th>Differs in</th>
                <th className="num">Time</th>
                <th className="num">Cost</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, MOST_ROWS).map(({ row, index }) => (
                <tr key={index} className={index === chosen ? "chosen" : ""} data-row={index}>
                  <td>
                    <Side event={row.a} />
                  </td>
                  <td>
                    <Side event={row.b} />
                  </td>
                  <td>
                    <button type="button" className="chart-act" onClick={() => onChange({ row: String(index) }, true)}>
                      {row.differs.length > 0 ? row.differs.map(spelled).join(", ") : "nothing"}
                    </button>
                  </td>
                  <td className="num">
                    {both(row, (one) => duration(one.duration_ms))}
                  </td>
                  <td className="num">
                    {both(row, (one) => usd(one.cost_usd))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {rows.length > MOST_ROWS && <p className="faint card-empty">{grouped(rows.length - MOST_ROWS)} more</p>}
      </section>
    </>
  );
}

/** What changes of either session, while one runs, is compared anew; texts of ended events stay as they are. */
function useRunning(a: string, b: string): void {
  const client = useQueryClient();
  useEffect(() => {
    const { queryKey } = comparisonQuery(a, b);
    const isOpen = () => {
      const data = client.getQueryData<Comparison>(queryKey);
      return data === undefined || data.a.state === "running" || data.b.state === "running";
    };
    const pace = new Pace(async () => {
      await client.refetchQueries({ queryKey, exact: true });
      await client.refetchQueries({
        type: "active",
        predicate: ({ queryKey: [noun, id], state }) =>
          noun === "event" && (id === a || id === b) && (state.data as EventDetail | undefined)?.status !== "ok",
      });
    }, REST_MS);
    const stop = live.subscribe((news) => {
      if (news ? news.has(a) || news.has(b) : isOpen()) pace.ask();
    });
    return () => {
      stop();
      pace.stop();
    };
  }, [client, a, b]);
}

/** A measure of both sides; a dash alone where neither has one. */
function both({ a, b }: ComparedRow, shown: (one: NonNullable<ComparedRow["a"]>) => string): string {
  const [left, right] = [a, b].map((one) => (one ? shown(one) : DASH));
  return left === DASH && right === DASH ? DASH : `${left} → ${right}`;
}

function spelled(name: string): string {
  return name === "cost_usd" ? "cost" : name;
}

function said({ a, b, differs }: ComparedRow): string {
  if (a === null) return `only B has ${b?.kind} ${oneLine(b?.name ?? "", 60)}`;
  if (b === null) return `only A has ${a.kind} ${oneLine(a.name, 60)}`;
  return `${a.kind} ${oneLine(a.name, 60)}: ${differs.length > 0 ? `differs in ${differs.map(spelled).join(", ")}` : "the same"}`;
}

function Side({ event }: { event: ComparedRow["a"] }) {
  if (event === null) return <span className="faint">–</span>;
  return (
    <>
      <KindMark kind={event.kind} /> {oneLine(event.name, 44)} <StatusPill status={event.status} />
    </>
  );
}

function Figures({ data: { a, b, tools } }: { data: Comparison }) {
  // Of many tools those that differ.
  const told = (tools.length > MOST_TOOLS ? tools.toSorted((one, other) => Number(one.a === one.b) - Number(other.a === other.b)) : tools).slice(0, MOST_TOOLS);
  const rows: readonly (readonly [string, number | null, number | null, (value: number | null) => string])[] = [
    ["Duration", a.duration_ms, b.duration_ms, duration],
    ["Cost", a.cost_usd, b.cost_usd, usd],
    ["Tokens", a.tokens.total, b.tokens.total, count],
    ["Events", a.event_counts.total, b.event_counts.total, grouped],
    ["LLM calls", a.event_counts.llm, b.event_counts.llm, grouped],
    ["Errors", a.event_counts.error, b.event_counts.error, grouped],
    ...told.map((tool) => [`Tool ${oneLine(tool.name, 40)}`, tool.a, tool.b, grouped] as const),
  ];
  return (
    <section className="card" aria-label="Figures">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key */}
      <div className="scroll" tabIndex={0} role="region" aria-label="Figures, scrolls">
        <table className="figures sides">
          <thead>
            <tr>
              <th>
                <span className="unseen">Figure</span>
              </th>
              <th className="num">
                <Named side="A" session={a} />
              </th>
              <th className="num">
                <Named side="B" session={b} />
              </th>
              <th className="num">B against A</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, left, right, shown]) => (
              <tr key={name} data-figure={name}>
                <td>{name}</td>
                <td className="num">{shown(left)}</td>
                <td className="num">{shown(right)}</td>
                <td className="num dim">{left === right ? "same" : changed(change(right, left)) || "–"}</td>
              </tr>
            ))}
            {tools.length > told.length && (
              <tr>
                <td className="faint" colSpan={4}>
                  and {plural(tools.length - told.length, "more tool")}
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Named({ side, session }: { side: "A" | "B"; session: SessionDetail }) {
  return (
    <>
      <i className={`side-${side.toLowerCase()}`}>{side}</i> <StateDot state={session.state} />{" "}
      <Link to="/sessions/$sessionId" params={{ sessionId: session.session_id }}>
        {oneLine(session.name || session.session_id, 40)}
      </Link>
    </>
  );
}

function textOf(session: string, event: ComparedRow["a"] | undefined) {
  return { ...eventQuery(session, event?.event_id ?? ""), enabled: event != null };
}

/** What differs besides the texts: of A, then of B. */
function Values({ row: { a, b, differs } }: { row: ComparedRow }) {
  if (a === null || b === null) return null;
  const values = [
    ["kind", a.kind, b.kind],
    ["name", oneLine(a.name, 60), oneLine(b.name, 60)],
    ["model", oneLine(a.model ?? DASH, 60), oneLine(b.model ?? DASH, 60)],
    ["status", a.status, b.status],
    ["tokens", grouped(a.tokens), grouped(b.tokens)],
    ["cost_usd", ...costs(a.cost_usd, b.cost_usd)],
  ] as const;
  const shown = values.filter(([name, left, right]) => differs.includes(name) && left !== right);
  if (shown.length === 0) return null;
  return (
    <dl className="values">
      {shown.map(([name, left, right]) => (
        <div key={name}>
          <dt className="faint">{spelled(name)}</dt>
          <dd>
            {left} → {right}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Two costs, with all their digits where they would read alike. */
function costs(a: number | null, b: number | null): readonly [string, string] {
  if (a === null || b === null || usd(a) !== usd(b)) return [usd(a), usd(b)];
  return [rate(a), rate(b)];
}

/** What went in and what came out on both sides, word by word. */
function Texts({ row, a, b }: { row: ComparedRow; a: string; b: string }) {
  const left = useQuery(textOf(a, row.a));
  const right = useQuery(textOf(b, row.b));
  const failed = [left, right].find((query) => query.error);
  if (failed?.error) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  const isReady = (row.a === null || left.data) && (row.b === null || right.data);
  if (!isReady) return <p className="dim card-empty">…</p>;
  const values = <Values row={row} />;
  const isSilent = [left, right].every(({ data }) => text(data?.input) === "" && text(data?.output) === "");
  if (isSilent) {
    return (
      <div className="diffs">
        {values}
        <p className="dim">No input and no output was recorded here.</p>
      </div>
    );
  }
  return (
    <div className="diffs">
      {values}
      {(["input", "output"] as const).map((side) => {
        const [before, after] = [text(left.data?.[side]), text(right.data?.[side])];
        return before === after && before === "" ? null : (
          <div key={side} data-diff={side}>
            <h3>
              {side === "input" ? "Input" : "Output"}
              {row.a && row.b && (before === "") !== (after === "") && <span className="dim"> of {before === "" ? "B" : "A"} alone</span>}
            </h3>
            {before === after ? <p className="dim">the same</p> : <Diff a={before} b={after} />}
          </div>
        );
      })}
    </div>
  );
}

function Diff({ a, b }: { a: string; b: string }) {
  const box = useRef<HTMLPreElement>(null);
  // A long text begins where it differs.
  useLayoutEffect(() => {
    const first = box.current?.querySelector<HTMLElement>("del, ins");
    if (box.current && first) box.current.scrollTop = Math.max(0, first.offsetTop - box.current.clientHeight / 2);
  }, [a, b]);
  // What one side has alone is no difference of words.
  if (a === "" || b === "") return <pre className="diff mono">{brief((a || b).slice(0, MOST_TEXT))}</pre>;
  return (
    <pre className="diff mono" ref={box}>
      {wordDiff(a.slice(0, MOST_TEXT), b.slice(0, MOST_TEXT)).map(({ side, text: piece }, index) =>
        side === "both" ? (
          <span key={index}>{brief(piece)}</span>
        ) : side === "a" ? (
          <del key={index}>{piece}</del>
        ) : (
          <ins key={index}>{piece}</ins>
        ),
      )}
    </pre>
  );
}

/** Long runs that both share are told by their ends. */
function brief(shared: string): string {
  return shared.length > 1_200 ? `${shared.slice(0, 500)}\n … \n${shared.slice(-500)}` : shared;
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return visible(typeof value === "string" ? value : writeJson(value, 2));
}
