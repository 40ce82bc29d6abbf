/** The charts of the range: what is told of each, and in which colours. */

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { breakdownQuery, type Bucketing } from "../../api/insights";
import type { SessionFilters } from "../../api/queries";
import type { Analytics } from "../../api/types";
import { compact, duration, grouped, usd, usdMarks } from "../../model/format";
import { COUNTED, durationMark, MEASURED, percentMarks, TIMED } from "../../model/marks";
import { percent, placed } from "../../model/span";
import type { Millis } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Chart, type Line } from "./Chart";

interface Props {
  data: Analytics;
  filters: SessionFilters;
  bucketing: Bucketing;
  at: readonly Millis[];
  end: Millis;
  hidden: ReadonlySet<string>;
  onHide: (line: string) => void;
  onZoom: (from: Millis, to: Millis) => void;
  onOpen: (from: Millis, to: Millis) => void;
}

/** Colours of models: told apart, and none of them a state's. */
const MODEL_COLORS = ["llm", "retrieval", "agent", "tool", "action", "embedding"];

export function Charts({ data, filters, bucketing, at, end, ...rest }: Props) {
  const { data: models } = useQuery(breakdownQuery(filters, bucketing, "model", "cost", "desc"));
  const { series } = data;
  const told = useMemo(() => {
    const of = (value: (row: Analytics["series"][number]) => number | null | undefined, missing: number | null = 0) =>
      placed(at, series, (index) => value(series[index]) ?? missing, missing);
    // What an interval's calls did not tell is not known; where there were none, there is nothing to know.
    const known = (value: (row: Analytics["series"][number]) => number | null) =>
      placed<number | null>(at, series, (index) => value(series[index]), 0);
    const less = (value: number | null, ...parts: (number | null)[]) =>
      value === null ? null : Math.max(0, value - parts.reduce<number>((sum, part) => sum + (part ?? 0), 0));
    return {
      states: [
        line("success", "Success", "success", of(({ sessions }) => sessions.success)),
        line("indeterminate", "Indeterminate", "indeterminate", of(({ sessions }) => sessions.indeterminate)),
        line("fail", "Fail", "fail", of(({ sessions }) => sessions.fail)),
        line("running", "Running", "running", of(({ sessions }) => sessions.running)),
      ],
      events: [
        line("llm", "LLM calls", "llm", of(({ events }) => events.llm)),
        line("tool", "Tool calls", "tool", of(({ events }) => events.tool)),
        line("other", "Others", "operation", of(({ events }) => events.total - (events.llm ?? 0) - (events.tool ?? 0))),
      ],
      tokens: [
        line("input", "Input", "retrieval", known(({ tokens }) => less(tokens.input, tokens.cache_read, tokens.cache_write))),
        line("cache_read", "Cache read", "agent", known(({ tokens }) => tokens.cache_read)),
        line("cache_write", "Cache write", "embedding", known(({ tokens }) => tokens.cache_write)),
        line("output", "Output", "llm", known(({ tokens }) => less(tokens.output, tokens.reasoning))),
        line("reasoning", "Reasoning", "action", known(({ tokens }) => tokens.reasoning)),
      ],
      latency: (["p50", "p90", "p95", "p99"] as const).map((name, index) =>
        line(name, name, ["agent", "retrieval", "llm", "tool"][index], of(({ latency_ms }) => latency_ms?.[name], null)),
      ),
      errors: [line("rate", "Events with an error", "fail", of(({ error_rate }) => error_rate, null))],
    };
  }, [at, series]);
  const cost = useMemo(() => {
    const priced = (models?.groups ?? []).filter(({ cost_usd }) => cost_usd !== null).slice(0, MODEL_COLORS.length);
    const lines = priced.map((group, index) =>
      line(
        group.value,
        oneLine(group.value, 40),
        MODEL_COLORS[index],
        placed<number | null>(at, group.series, (place) => group.series[place].cost_usd, 0),
      ),
    );
    const left = placed(at, series, (index) => series[index].cost_usd ?? 0, 0).map((all, row) => {
      const over = all - lines.reduce((sum, { values }) => sum + (values[row] ?? 0), 0);
      return over > 1e-9 ? over : 0;
    });
    // What tools report, and models beyond the first.
    return left.some((value) => value > 0) && models ? [...lines, line("others", "Others", "operation", left)] : lines;
  }, [models, at, series]);
  const shared = { at, end, isDaily: bucketing.interval === "day" || bucketing.interval === "week", ...rest };
  return (
    <section className="charts" aria-label="Over time">
      <Chart id="sessions" steps={COUNTED} title="Sessions by state" lines={told.states} shape="stack" format={grouped} marks={counts} {...shared} />
      <Chart id="cost" steps={MEASURED} title="Cost by model" lines={cost} shape="stack" format={usd} marks={usdMarks} {...shared} />
      <Chart id="tokens" steps={COUNTED} title="Tokens by class" lines={told.tokens} shape="stack" format={grouped} marks={counts} {...shared} />
      <Chart id="latency" title="Latency of events" lines={told.latency} shape="lines" steps={TIMED} format={duration} marks={(values) => values.map(durationMark)} {...shared} />
      <Chart id="errors" title="Error rate" lines={told.errors} shape="lines" steps={MEASURED} format={percent} marks={percentMarks} {...shared} />
      <Chart id="events" steps={COUNTED} title="Events" lines={told.events} shape="stack" format={grouped} marks={counts} {...shared} />
    </section>
  );
}

function line(key: string, name: string, color: string, values: (number | null)[]): Line {
  return { key, name, color, values };
}

function counts(values: readonly number[]): string[] {
  return values.map((value) => compact(Number.isInteger(value) ? value : Math.round(value * 10) / 10));
}
