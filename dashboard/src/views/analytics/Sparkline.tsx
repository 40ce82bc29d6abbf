/** A line of values, small enough for a row of a table. */

const WIDTH = 96;
const HEIGHT = 22;
const MOST_POINTS = 48;

export function Sparkline({ values }: { values: readonly number[] }) {
  const sums = gathered(values);
  // One value alone is no line: it is drawn as one that stays.
  const points = sums.length === 1 ? [...sums, ...sums] : sums;
  const most = Math.max(1, ...points);
  const step = points.length > 1 ? WIDTH / (points.length - 1) : 0;
  const path = points.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`).join(" ");
  return (
    <svg className="sparkline" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <polyline points={path} fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" />
    </svg>
  );
}

/** As many sums of neighbours as there is room for. */
function gathered(values: readonly number[]): number[] {
  const each = Math.max(1, Math.ceil(values.length / MOST_POINTS));
  const found: number[] = [];
  for (let from = 0; from < values.length; from += each) found.push(values.slice(from, from + each).reduce((sum, value) => sum + value, 0));
  return found;
}
