/** One chart: lines or stacked bars over time, a legend that toggles, a crosshair shared by all, a drag that zooms, unless Esc gives it up. */

import uPlot from "uplot";
import { useEffect, useMemo, useRef, useState } from "react";
import { csv } from "../../model/csv";
import { intervalAt } from "../../model/intervals";
import type { Millis } from "../../model/units";
import { clock, day, twin } from "../../model/time";
import { Dialog } from "../../ui/controls";
import { useSize } from "../../ui/hooks";
import { usePreference, useShownTheme } from "../../ui/preferences";
import { save } from "./save";

export interface Line {
  readonly key: string;
  readonly name: string;
  /** A colour of the stylesheet, by its name. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

interface Props {
  id: string;
  title: string;
  /** The starts of the intervals, milliseconds since 1970 UTC, and the end of the last one. */
  at: readonly Millis[];
  end: Millis;
  lines: readonly Line[];
  shape: "stack" | "lines";
  format: (value: number | null) => string;
  /** What stands beside the axis of values, where that is not each value as it is told elsewhere. */
  marks?: (values: readonly number[]) => string[];
  hidden: ReadonlySet<string>;
  onHide: (key: string) => void;
  /** A drag chose a range. */
  onZoom: (from: Millis, to: Millis) => void;
  /** An interval was clicked. */
  onOpen: (from: Millis, to: Millis) => void;
  /** What the axis of values may be divided by. */
  steps: readonly number[];
  /** Values of one interval are days or longer: no clock. */
  isDaily: boolean;
}

const HEIGHT = 168;
const AXIS_FONT = '11px "Inter Variable", system-ui, sans-serif';
const DRAG_PX = 5;

export function Chart(props: Props) {
  const { id, title, at, lines, shape, format, hidden, isDaily } = props;
  const zone = usePreference("zone");
  const theme = useShownTheme();
  const [box, size] = useSize<HTMLDivElement>();
  const [index, setIndex] = useState<number | null>(null);
  const [isTable, setTable] = useState(false);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const plot = useRef<uPlot | null>(null);
  const shown = useMemo(() => lines.filter(({ key }) => !hidden.has(`${id}:${key}`)), [lines, hidden, id]);
  const values = useMemo(() => drawn(at, shown, shape), [at, shown, shape]);
  const structure = JSON.stringify([shown.map(({ key, color }) => [key, color]), shape, zone, theme, isDaily]);

  useEffect(() => {
    const element = box.current;
    if (!element || size.width === 0) return;
    const { lines: now, hidden: off } = latest.current;
    const options = describe(now.filter(({ key }) => !off.has(`${id}:${key}`)), size.width, {
      shape,
      theme,
      ends: () => {
        // The last interval may still run: its bar is as wide as the others.
        const { at: starts, end: asked } = latest.current;
        const [before = 0, last = 0] = starts.slice(-2);
        return starts.length > 1 ? Math.max(asked, 2 * last - before) : asked;
      },
      steps: [...latest.current.steps],
      isUtc: zone === "utc",
      marks: (splits) => latest.current.marks?.(splits) ?? splits.map((split) => latest.current.format(split)),
      onIndex: setIndex,
      onRange: (from, to) => latest.current.onZoom(from, to),
      onClick: (found) => {
        const { at: starts, end: last, onOpen } = latest.current;
        if (starts[found] !== undefined) onOpen(starts[found], starts[found + 1] ?? last);
      },
    });
    const made = new uPlot(options, values as uPlot.AlignedData, element);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
    // The values of a chart that stands are set below.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [structure, size.width, box, id]);
  useEffect(() => {
    plot.current?.setData(values as uPlot.AlignedData);
  }, [values]);

  const when = (start: Millis) =>
    isDaily ? day(start * 1000, zone) : `${day(start * 1000, zone)} ${clock(start * 1000, zone, 0).slice(0, 5)}${twin(start * 1000, zone)}`;
  return (
    <figure className="chart" data-chart={id}>
      <figcaption>
        <h2>{title}</h2>
        <span className="faint chart-when">{index !== null && at[index] !== undefined ? when(at[index]) : ""}</span>
        <span className="grow" />
        <button type="button" className="chart-act" aria-label={`${title} as a table`} onClick={() => setTable(true)}>
          Table
        </button>
        <button type="button" className="chart-act" aria-label={`${title} as CSV`} onClick={() => save(asCsv(at, lines), `${id}.csv`)}>
          CSV
        </button>
      </figcaption>
      <div ref={box} className="chart-box" style={{ height: HEIGHT }} role="img" aria-label={`${title}: ${told(lines, format)}`} />
      <ul className="legend" aria-label={`Lines of ${title}`}>
        {lines.map(({ key, name, color, values: own }) => {
          const isOff = hidden.has(`${id}:${key}`);
          return (
            <li key={key}>
              <button type="button" aria-pressed={!isOff} className={isOff ? "off" : ""} onClick={() => props.onHide(`${id}:${key}`)}>
                <i style={{ background: isOff ? "transparent" : `var(--${color})`, borderColor: `var(--${color})` }} />
                {name}
                <span className="dim">{index !== null && index < own.length ? format(own[index]) : ""}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {isTable && (
        <Dialog title={title} onClose={() => setTable(false)}>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key */}
          <div className="chart-table" tabIndex={0} role="region" aria-label={`${title}, scrolls`}>
            <table>
              <thead>
                <tr>
                  <th>From</th>
                  {lines.map(({ key, name }) => (
                    <th key={key} className="num">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {at.map((start, row) => (
                  <tr key={start}>
                    <td>{when(start)}</td>
                    {lines.map(({ key, values: own }) => (
                      <td key={key} className="num">
                        {format(own[row] ?? null)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Dialog>
      )}
    </figure>
  );
}

/** The chart for who does not see it: the most of each line. */
function told(lines: readonly Line[], format: (value: number | null) => string): string {
  return lines
    .map(({ name, values }) => {
      const known = values.filter((value) => value !== null);
      return `${name} at most ${format(known.length > 0 ? Math.max(...known) : null)}`;
    })
    .join(", ");
}

function asCsv(at: readonly Millis[], lines: readonly Line[]): string {
  return csv(
    ["from", ...lines.map(({ name }) => name)],
    at.map((start, row) => [new Date(start).toISOString(), ...lines.map(({ values }) => values[row] ?? null)]),
  );
}

/** What is drawn: seconds, then the lines; those of a stack on the shoulders of the ones before, the tallest first. */
function drawn(at: readonly Millis[], lines: readonly Line[], shape: "stack" | "lines"): (number | null)[][] {
  const seconds = at.map((start) => start / 1000);
  if (shape === "lines") return [seconds, ...lines.map(({ values }) => [...values])];
  const sums = Array.from({ length: at.length }, () => 0);
  const stacked = lines.map(({ values }) =>
    sums.map((_, row) => {
      sums[row] += values[row] ?? 0;
      return sums[row];
    }),
  );
  return [seconds, ...stacked.toReversed()];
}

interface Doing {
  shape: "stack" | "lines";
  theme: string;
  /** When the last interval ends. */
  ends: () => Millis;
  steps: number[];
  isUtc: boolean;
  marks: (values: readonly number[]) => string[];
  onIndex: (index: number | null) => void;
  onRange: (from: Millis, to: Millis) => void;
  onClick: (index: number) => void;
}

function describe(lines: readonly Line[], width: number, doing: Doing): uPlot.Options {
  const color = (name: string) => colorOf(name, doing.theme);
  const isStack = doing.shape === "stack";
  const order = isStack ? lines.toReversed() : lines;
  const axis = { stroke: color("faint"), font: AXIS_FONT, ticks: { show: false }, grid: { stroke: color("line"), width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [10, 20, 0, 0],
    tzDate: doing.isUtc ? (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : (seconds) => new Date(seconds * 1000),
    cursor: {
      sync: { key: "analytics" },
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      points: { size: 6 },
      // A value is its interval's, from its beginning to its end; the plot's own choice is the nearest beginning.
      dataIdx: (plot, _line, _nearest, second) => intervalAt(plot.data[0], second),
      bind: { dblclick: () => null },
    },
    // To the end of the last interval: its bar begins where the last value stands.
    scales: { x: { range: (_plot, low) => [low, doing.ends() / 1000] }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.06 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 64, values: (_plot, splits) => splits.map((split) => mark(split, doing.isUtc)) },
      { ...axis, size: 58, values: (_plot, splits) => doing.marks(splits), incrs: doing.steps },
    ],
    series: [
      {},
      ...order.map((line) => {
        const stroke = color(line.color);
        return isStack
          ? { stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.86, 40], align: 1 }) }
          : { stroke, width: 1.6, spanGaps: true, points: { size: 4, filter: alone } };
      }),
    ],
    hooks: {
      setCursor: [(plot) => doing.onIndex(pointed(plot))],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide >= DRAG_PX && !isGivenUp) doing.onRange(plot.posToVal(left, "x") * 1000, plot.posToVal(left + wide, "x") * 1000);
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
      ready: [
        (plot) => {
          let pressed = 0;
          endsWithEscape(plot);
          plot.over.addEventListener("pointerdown", (event) => (pressed = event.clientX));
          plot.over.addEventListener("click", (event) => {
            const found = pointed(plot);
            if (Math.abs(event.clientX - pressed) < DRAG_PX && found !== null && !isGivenUp) doing.onClick(found);
          });
        },
      ],
    },
  };
}

/** Whether Esc gave up the last drag. All plots hear of a drag across one of them. */
let isGivenUp = false;

/** Esc gives up a drag that begins on the plot. */
function endsWithEscape(plot: uPlot): void {
  const give = (isUp: boolean) => {
    isGivenUp = isUp;
    plot.root.closest(".charts")?.classList.toggle("given-up", isUp);
  };
  const heard = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    give(true);
  };
  const over = () => window.removeEventListener("keydown", heard, true);
  plot.over.addEventListener("pointerdown", () => {
    give(false);
    window.addEventListener("keydown", heard, true);
    window.addEventListener("pointerup", over, { once: true });
    window.addEventListener("pointercancel", over, { once: true });
  });
}

/** The interval under the pointer. */
function pointed(plot: uPlot): number | null {
  const { idx, left } = plot.cursor;
  return idx == null || left === undefined ? null : intervalAt(plot.data[0], plot.posToVal(left, "x"));
}

/** The points to draw of a line: all where there is room, otherwise those that no neighbour makes a line with. */
const alone: uPlot.Series.Points.Filter = (plot, line, isRoomy) => {
  if (isRoomy) return null;
  const values = plot.data[line];
  const found: number[] = [];
  for (let at = 0; at < values.length; at++) if (values[at] !== null && values[at - 1] == null && values[at + 1] == null) found.push(at);
  return found;
};

/** A moment on the axis: its clock, and its date where a day begins. */
function mark(seconds: number, isUtc: boolean): string {
  const at = seconds * 1e6;
  const zone = isUtc ? "utc" : "local";
  const time = clock(at, zone, 0).slice(0, 5);
  return time === "00:00" ? day(at, zone).slice(0, 6) : time;
}

const resolved = new Map<string, string>();

/** A colour of the stylesheet as a canvas takes it. Finding one out computes styles: each is looked up once a theme. */
function colorOf(name: string, theme: string): string {
  const key = `${theme} ${name}`;
  const known = resolved.get(key);
  if (known !== undefined) return known;
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  probe.style.setProperty("forced-color-adjust", "none");
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  resolved.set(key, color);
  return color;
}
