/** Numbers that carry their unit in their type, so that a duration is never added to a cost. */

declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]?: Name };

/** A span of time in milliseconds. */
export type Millis = Branded<"ms">;
/** A moment: microseconds since 1970 UTC. Fits a double exactly until the year 2255. */
export type EpochMicros = Branded<"epoch µs">;
/** US dollars. */
export type Usd = Branded<"USD">;
/** CSS pixels. */
export type Pixels = Branded<"px">;

/** Read an ISO 8601 time in UTC to the microsecond, which `Date` alone cannot; NaN when there is none. */
export function epochMicros(iso: string | null): EpochMicros {
  if (iso === null) return Number.NaN;
  const fraction = /\.(\d+)/.exec(iso);
  const whole = Date.parse(fraction ? iso.replace(fraction[0], "") : iso);
  if (!fraction) return whole * 1000;
  return whole * 1000 + Number(fraction[1].padEnd(6, "0").slice(0, 6));
}
