/** Moments on the page: local or UTC as chosen, both on hover. */

import { duration, stopwatch } from "../model/format";
import { ago, both, clock, day, iso, dated, withMoments } from "../model/time";
import type { EpochMicros, Millis } from "../model/units";
import { useNow } from "./hooks";
import { usePreference } from "./preferences";

export function Ago({ at }: { at: EpochMicros }) {
  const zone = usePreference("zone");
  const now = useNow(10_000);
  return (
    <time dateTime={iso(at)} title={both(at)}>
      {ago(at, now * 1000, zone)}
    </time>
  );
}

export function Moment({ at, withDay = false, decimals = 3 }: { at: EpochMicros; withDay?: boolean; decimals?: number }) {
  const zone = usePreference("zone");
  return (
    <time dateTime={iso(at)} title={both(at)}>
      {withDay && <span className="faint">{day(at, zone)} </span>}
      {clock(at, zone, decimals)}
      {zone === "utc" && <span className="faint"> UTC</span>}
    </time>
  );
}

/** A moment to the minute, with its day. */
export function Minute({ at }: { at: EpochMicros }) {
  const zone = usePreference("zone");
  return (
    <time dateTime={iso(at)} title={both(at)}>
      {dated(at, zone)}
      {zone === "utc" && <span className="faint"> UTC</span>}
    </time>
  );
}

/** What the server says of a state, with its moments as the reader's clock tells them. */
export function useTold(text: string | null): string {
  const zone = usePreference("zone");
  const now = useNow(60_000);
  return text ? withMoments(text, now * 1000, zone) : "";
}

/** A duration; while it runs, a stopwatch from its start. */
export function Duration({ ms, from, running }: { ms: Millis | null; from: EpochMicros; running: boolean }) {
  return running ? <Running from={from} /> : <>{duration(ms)}</>;
}

function Running({ from }: { from: EpochMicros }) {
  const now = useNow(500);
  return <span className="running">{stopwatch(Math.max(0, now - from / 1000))}</span>;
}
