/** An event's times, tokens by class, and its cost as arithmetic. */

import type { ReactNode } from "react";
import type { EventDetail } from "../../api/types";
import { arithmetic, readCost } from "../../model/cost";
import { DASH, duration, grouped, plural, usd } from "../../model/format";
import type { EventTable } from "../../model/table";
import { epochMicros, type EpochMicros } from "../../model/units";
import { Duration, Moment } from "../../ui/time";

export function EventNumbers({ event, table, row, base }: { event: EventDetail; table: EventTable; row: number; base: EpochMicros }) {
  const { tokens } = event;
  const from = epochMicros(event.started_at);
  const isCall = event.kind === "llm" || event.kind === "embedding";
  const isLlm = event.kind === "llm";
  const resent = Number(event.attributes["http.request.resend_count"]);
  const holds = row >= 0 && table.sizes[row] > 1;
  return (
    <>
      <dl className="numbers">
        <Figure name="Duration">
          {event.status === "interrupted" ? "interrupted" : <Duration ms={event.duration_ms} from={from} running={event.status === "running"} />}
        </Figure>
        {isLlm && <Figure name="First token">{event.first_token_ms === null ? DASH : duration(event.first_token_ms)}</Figure>}
        {(isCall || event.cost_usd !== null) && (
          <Figure name={event.cost_source === "reported" ? "Cost, as reported" : "Cost"}>{usd(event.cost_usd)}</Figure>
        )}
        {isCall && (
          <>
            <Figure name="Input">{grouped(tokens.input)}</Figure>
            {isLlm && <Figure name="Cached">{grouped(tokens.cache_read)}</Figure>}
            {isLlm && <Figure name="Output">{grouped(tokens.output)}</Figure>}
            {(tokens.cache_write ?? 0) > 0 && <Figure name="Cache write">{grouped(tokens.cache_write)}</Figure>}
            {(tokens.reasoning ?? 0) > 0 && <Figure name="Reasoning">{grouped(tokens.reasoning)}</Figure>}
          </>
        )}
        <Figure name="Started">
          <Moment at={from} />
        </Figure>
        <Figure name="After the start">{Number.isNaN(from) ? DASH : duration((from - base) / 1000)}</Figure>
        {resent > 0 && <Figure name="Sent again">{plural(resent, "time")}</Figure>}
        {holds && !isCall && (
          <>
            <Figure name="Inside">{grouped(table.sizes[row] - 1)}</Figure>
            <Figure name="Cost inside">{usd(table.sumCosts[row])}</Figure>
            <Figure name="Tokens inside">{grouped(table.sumTokens[row])}</Figure>
          </>
        )}
      </dl>
      {isCall && <CostSplit event={event} />}
    </>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The tokens in one bar by class; below it the sum anyone can check. */
function CostSplit({ event }: { event: EventDetail }) {
  const { input, output, cache_read: read, cache_write: written, reasoning } = event.tokens;
  if (input === null && output === null) {
    // No answer came yet, or ever.
    if (event.status === "running" || event.status === "interrupted") return null;
    return <p className="faint cost-story">Tokens are unknown: the answer carried no usage.</p>;
  }
  const cached = (read ?? 0) + (written ?? 0);
  const parts = [
    ["fresh", "fresh input", Math.max(0, (input ?? 0) - cached)],
    ["read", "read from cache", read ?? 0],
    ["write", "written to cache", written ?? 0],
    ["reasoning", "reasoning", reasoning ?? 0],
    ["output", "output", Math.max(0, (output ?? 0) - (reasoning ?? 0))],
  ] as const;
  const story = readCost(event.cost_detail);
  const sum = arithmetic(story.terms);
  return (
    <div className="cost-story">
      <div className="split" role="img" aria-label={parts.filter(([, , n]) => n > 0).map(([, name, n]) => `${grouped(n)} ${name}`).join(", ")}>
        {parts.map(([id, name, tokens]) =>
          tokens > 0 ? <i key={id} className={`split-${id}`} style={{ flexGrow: tokens }} title={`${grouped(tokens)} ${name}`} /> : null,
        )}
      </div>
      {sum ? (
        <p className="faint">
          <span className="sum">{sum}</span>
          {story.source && ` · ${story.source}`}
        </p>
      ) : event.cost_source === "reported" ? (
        <p className="faint">The cost is what the program reported.</p>
      ) : (
        event.cost_usd === null && event.duration_ms !== null && <p className="faint">No price is known for this model.</p>
      )}
    </div>
  );
}
