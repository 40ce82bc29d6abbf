/** Numbers as people read them: short, aligned, never more exact than the source. */

import type { Millis, Usd } from "./units";

export const DASH = "–";

/** A duration: `0.4 ms`, `184 ms`, `2.31 s`, `48.2 s`, `7m 27s`, `2h 05m`. */
export function duration(ms: Millis | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return DASH;
  const value = Math.max(0, ms);
  if (value === 0) return "0 ms";
  if (value < 0.0005) return "<1 µs";
  if (value < 0.0995) return `${(value * 1000).toFixed(0)} µs`;
  if (value < 9.95) return `${trim(value.toFixed(1))} ms`;
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 9_995) return `${(value / 1000).toFixed(2)} s`;
  if (value < 59_950) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

/** A duration that is still growing, as a stopwatch: `0:57`, `12:03`, `1:02:03`. */
export function stopwatch(ms: Millis): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** A count: `8,891`, `41.2k`, `1.20M`, `1.01B`. */
export function count(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return DASH;
  if (value < 10_000) return grouped(value);
  if (value < 999_950) return `${(value / 1000).toFixed(1)}k`;
  return value < 999_995_000 ? `${(value / 1_000_000).toFixed(2)}M` : `${(value / 1e9).toFixed(2)}B`;
}

/** A count where there is little room: `912`, `2.6k`, `23k`. */
export function compact(value: number): string {
  if (value < 1000) return String(value);
  if (value < 9950) return `${(value / 1000).toFixed(1)}k`;
  if (value < 999_500) return `${Math.round(value / 1000)}k`;
  return value < 999_950_000 ? `${(value / 1_000_000).toFixed(1)}M` : `${(value / 1e9).toFixed(1)}B`;
}

/** A whole number with its thousands apart: `50,000`. */
export function grouped(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return DASH;
  return thousands(String(Math.round(value)));
}

/** The first `Intl` formatter of a page takes longer than all else in its first picture. */
function thousands(digits: string): string {
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** A cost: `$12.31`, `$0.0384`, `$0.000012`; unknown is a dash, never zero. */
export function usd(value: Usd | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return DASH;
  if (value === 0) return "$0.00";
  const size = Math.abs(value);
  // Each bound is the least that is rounded up to it: $1.00 and not $1.0000.
  if (size >= 99.995) return `$${grouped(value)}`;
  if (size >= 0.99995) return `$${value.toFixed(2)}`;
  if (size >= 0.0009999995) return `$${value.toFixed(4)}`;
  if (size >= 0.000001) return `$${value.toFixed(6)}`;
  return "<$0.000001";
}

/** Costs beside an axis: all with the decimals that the step between them needs, cents at least. */
export function usdMarks(values: readonly Usd[]): string[] {
  const step = Math.abs((values[1] ?? 0) - (values[0] ?? 0)) || Math.abs(values[0] ?? 0) || 1;
  let decimals = 0;
  while (decimals < 6 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  if (decimals === 1) decimals = 2;
  return values.map((value) => `$${value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })}`);
}

/** A size: `512 B`, `14 kB`, `5.0 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 999_500) return `${trim((value / 1000).toFixed(value < 9950 ? 1 : 0))} kB`;
  if (value < 999_500_000) return `${(value / 1e6).toFixed(1)} MB`;
  return `${(value / 1e9).toFixed(1)} GB`;
}

/** `1 error`, `2 errors`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function trim(text: string): string {
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}
