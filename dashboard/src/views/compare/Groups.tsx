/** The sessions of two tags: each metric's distributions side by side, and whether chance explains the difference. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type CohortMetric, cohortsQuery } from "../../api/insights";
import { count, duration, grouped, plural, usd } from "../../model/format";
import { percent } from "../../model/span";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";

type Metric = CohortMetric["metric"];
const TITLES: Record<Metric, string> = {
  duration_ms: "Duration",
  cost_usd: "Cost",
  tokens: "Tokens",
  events: "Events",
  errors: "Errors",
  failed: "Failed sessions",
};
const SHOWN: Record<Metric, (value: number | null | undefined) => string> = {
  duration_ms: duration,
  cost_usd: usd,
  tokens: count,
  events: whole,
  errors: whole,
  failed: percent,
};
const HEIGHT = 60;

export function Groups({ tagA, tagB, since }: { tagA: string; tagB: string; since?: string }) {
  const { data, error, refetch } = useQuery(cohortsQuery(tagA, tagB, since));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (tagA === "" || tagB === "") return <p className="dim">Name two tags.</p>;
  if (!data) return <p className="dim late">Comparing…</p>;
  const tested = data.metrics.filter(({ p }) => p !== null).length;
  return (
    <>
      <p className="dim">
        {(["a", "b"] as const).map((side) => (
          <span key={side} className="group-name">
            <i className={`side-${side}`}>{side.toUpperCase()}</i>{" "}
            <Link to="/sessions" search={{ tag: [data[side].tag], since }}>
              {oneLine(data[side].tag, 40)}
            </Link>
            : {plural(data[side].sessions, "session")}
          </span>
        ))}
        {data.in_both > 0 && `${plural(data.in_both, "session")} with both tags left out. `}
        {data.cut_off && <span className="warn">Only the latest 50,000 sessions are compared.</span>}
      </p>
      <section className="charts" aria-label="Metrics">
        {data.metrics.map((metric) => (
          <Card key={metric.metric} metric={metric} />
        ))}
      </section>
      <p className="faint">
        {tested > 0 &&
          `Whole distributions are compared by ranks (Mann-Whitney), shares of failed sessions by Fisher's exact test; p is corrected for asking ${plural(tested, "question")} at once (Holm), and below ${data.level} counts as a difference. `}
        A difference between tags is not yet its cause: the sessions may differ in more than the tag.
      </p>
    </>
  );
}

function Card({ metric }: { metric: CohortMetric }) {
  const { a, b } = metric;
  const shown = SHOWN[metric.metric];
  const isShare = metric.metric === "failed";
  return (
    <figure className="chart" data-metric={metric.metric} data-verdict={metric.verdict}>
      <figcaption>
        <h2>{TITLES[metric.metric]}</h2>
      </figcaption>
      {isShare ? (
        <Shares a={a} b={b} />
      ) : (
        <>
          <Bins metric={metric} shown={shown} />
          {metric.bins.length > 0 && (
            <p className="bins-ends faint">
              <span>{shown(metric.bins[0].from)}</span>
              <span>{shown(metric.bins.at(-1)?.to)}</span>
            </p>
          )}
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key */}
          <div className="scroll" tabIndex={0} role="region" aria-label={`${TITLES[metric.metric]} of both groups, scrolls`}>
            <table className="figures">
              <thead>
                <tr>
                  <th>
                    <span className="unseen">Group</span>
                  </th>
                  <th className="num">p25</th>
                  <th className="num">p50</th>
                  <th className="num">p75</th>
                  <th className="num">p95</th>
                  <th className="num">mean</th>
                </tr>
              </thead>
              <tbody>
                {(["a", "b"] as const).map((side) => (
                  <tr key={side}>
                    <td>
                      <i className={`side-${side}`}>{side.toUpperCase()}</i>
                    </td>
                    {(["p25", "p50", "p75", "p95", "mean"] as const).map((name) => (
                      <td key={name} className="num">
                        {shown(metric[side][name])}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      <p className="verdict">{verdict(metric)}</p>
    </figure>
  );
}

/** Both shares as bars, each with the interval that it is known to. */
function Shares({ a, b }: { a: CohortMetric["a"]; b: CohortMetric["b"] }) {
  return (
    <div className="group-shares">
      {([["a", a], ["b", b]] as const).map(([side, one]) => (
        <div key={side} className="group-share">
          <i className={`side-${side}`}>{side.toUpperCase()}</i>
          <span className="share-track" aria-hidden="true">
            <i className={`share-bar-${side}`} style={{ width: `${(one.share ?? 0) * 100}%` }} />
            {one.interval && <i className="share-range" style={{ left: `${one.interval[0] * 100}%`, width: `${(one.interval[1] - one.interval[0]) * 100}%` }} />}
          </span>
          <span>
            {percent(one.share)} <span className="dim">{`${grouped(one.failed)} of ${grouped(one.count)}`}</span>{" "}
            <span className="faint">{range(one.interval)}</span>
          </span>
        </div>
      ))}
    </div>
  );
}

/** Both groups in the same bins, each as a share of its own sessions. */
function Bins({ metric, shown }: { metric: CohortMetric; shown: (value: number) => string }) {
  const { bins, a, b } = metric;
  const most = Math.max(1e-9, ...bins.flatMap((bin) => [bin.a / Math.max(1, a.count), bin.b / Math.max(1, b.count)]));
  return (
    <svg className="bins" width="100%" height={HEIGHT} viewBox={`0 0 ${Math.max(1, bins.length)} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Distribution of ${TITLES[metric.metric].toLowerCase()}`}>
      {bins.map((bin, index) =>
        (["a", "b"] as const).map((side) => {
          const height = (bin[side] / Math.max(1, metric[side].count) / most) * (HEIGHT - 4);
          return (
            <rect key={`${index} ${side}`} className={`bin-${side}`} x={index + (side === "a" ? 0.06 : 0.5)} width={0.42} y={HEIGHT - height} height={height}>
              <title>{`${shown(bin.from)} to ${shown(bin.to)}: ${grouped(bin[side])} of ${side.toUpperCase()}`}</title>
            </rect>
          );
        }),
      )}
    </svg>
  );
}

function verdict({ verdict: found, p_corrected: p, b_exceeds_a: exceeds, metric }: CohortMetric): string {
  if (found === "too_few") return "Too few sessions to say: each group needs eight with a value.";
  const chance = p !== null && p < 0.001 ? "p < 0.001" : `p = ${p?.toFixed(3)}`;
  if (found === "no_difference_shown") return `No difference shown (${chance}). That is not proof that there is none.`;
  if (metric === "failed" || exceeds === null) return `They differ (${chance}).`;
  return `They differ (${chance}): of one session of each, B's has more in ${percent(exceeds)} of pairs, equal ones counted as halves.`;
}

function range(interval: readonly number[] | null | undefined): string {
  return interval ? `(95%: ${percent(interval[0])} to ${percent(interval[1])})` : "";
}

function whole(value: number | null | undefined): string {
  return value == null ? "–" : Number.isInteger(value) ? grouped(value) : value >= 1000 ? grouped(value) : value.toFixed(1);
}
