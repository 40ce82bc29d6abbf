/** Moments as people read them, in the reader's zone or in UTC. */

import { type EpochMicros, epochMicros } from "./units";

export type Zone = "local" | "utc";

interface Parts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** By `Date` itself: a page's first `Intl` formatter takes longer to make than its first picture to paint. */
function parts(at: EpochMicros, zone: Zone): Parts {
  const date = new Date(at / 1000);
  const of = zone === "utc" ? UTC : LOCAL;
  return {
    year: String(of.year(date)),
    month: MONTHS[of.month(date)],
    day: two(of.day(date)),
    hour: two(of.hour(date)),
    minute: two(of.minute(date)),
    second: two(of.second(date)),
  };
}

const LOCAL = {
  year: (date: Date) => date.getFullYear(),
  month: (date: Date) => date.getMonth(),
  day: (date: Date) => date.getDate(),
  hour: (date: Date) => date.getHours(),
  minute: (date: Date) => date.getMinutes(),
  second: (date: Date) => date.getSeconds(),
};

const UTC: typeof LOCAL = {
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth(),
  day: (date) => date.getUTCDate(),
  hour: (date) => date.getUTCHours(),
  minute: (date) => date.getUTCMinutes(),
  second: (date) => date.getUTCSeconds(),
};

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `14:02:11.482`, to the given number of decimals. */
export function clock(at: EpochMicros, zone: Zone, decimals = 3): string {
  if (!Number.isFinite(at)) return "–";
  const { hour, minute, second } = parts(at, zone);
  const micros = String(Math.floor(((at % 1e6) + 1e6) % 1e6)).padStart(6, "0");
  return `${hour}:${minute}:${second}${decimals > 0 ? `.${micros.slice(0, decimals)}` : ""}`;
}

/** `20 Nov 2026`. */
export function day(at: EpochMicros, zone: Zone): string {
  if (!Number.isFinite(at)) return "–";
  const { year, month, day: date } = parts(at, zone);
  return `${date} ${month} ${year}`;
}

/** `20 Nov 2026 14:02`. */
export function dated(at: EpochMicros, zone: Zone): string {
  return Number.isFinite(at) ? `${day(at, zone)} ${clock(at, zone, 0).slice(0, 5)}` : "–";
}

/** Short, for a column: `now`, `6 min ago`, `14:02` today, `19 Nov 14:02`, `19 Nov 2025`; what is to come is dated. */
export function ago(at: EpochMicros, now: EpochMicros, zone: Zone): string {
  if (!Number.isFinite(at)) return "–";
  const seconds = (now - at) / 1e6;
  if (seconds < 60 && seconds > -60) return seconds < 10 ? "now" : `${Math.floor(seconds)} s ago`;
  if (seconds < 3600 && seconds > 0) return `${Math.floor(seconds / 60)} min ago`;
  const then = parts(at, zone);
  const today = parts(now, zone);
  const sameYear = then.year === today.year;
  if (sameYear && then.month === today.month && then.day === today.day) return `${then.hour}:${then.minute}`;
  if (sameYear) return `${then.day} ${then.month} ${then.hour}:${then.minute}`;
  return `${then.day} ${then.month} ${then.year}`;
}

/** A sentence of the server with the moments in it told in the reader's zone: `stopped reporting at 14:02:11`, of another day with it. */
export function withMoments(text: string, now: EpochMicros, zone: Zone): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (found) => {
    const at = epochMicros(found);
    const date = day(at, zone) === day(now, zone) ? "" : `${day(at, zone)} `;
    return `${date}${clock(at, zone, 0)}${zone === "utc" ? " UTC" : ""}`;
  });
}

/** The whole moment in both zones, for a tooltip. */
export function both(at: EpochMicros): string {
  if (!Number.isFinite(at)) return "unknown";
  const of = (zone: Zone) => `${day(at, zone)} ${clock(at, zone, 6)}`;
  return `${of("local")} local\n${of("utc")} UTC`;
}

/** ` UTC+1`, ` UTC-2:30` in an hour that the reader's clock tells twice (summer time ends), else nothing. */
export function twin(at: EpochMicros, zone: Zone): string {
  const date = new Date(at / 1000);
  const isTwice = [-1, 1].some((hours) => new Date(at / 1000 + hours * 3_600_000).getHours() === date.getHours());
  if (zone === "utc" || !isTwice) return "";
  const minutes = Math.abs(date.getTimezoneOffset());
  const part = minutes % 60 === 0 ? "" : `:${two(minutes % 60)}`;
  return ` UTC${date.getTimezoneOffset() > 0 ? "-" : "+"}${Math.floor(minutes / 60)}${part}`;
}

/** ISO 8601 in UTC to the millisecond, for `datetime=`. */
export function iso(at: EpochMicros): string {
  return Number.isFinite(at) ? new Date(at / 1000).toISOString() : "";
}
