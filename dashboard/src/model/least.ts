/** A least amount as an address names it: a cost in dollars, a duration as `500ms`, `10s`, `5m`, `1h`, or in milliseconds. */

const UNIT_S: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Seconds or dollars as plain digits; empty when the text says none. */
export function leastOf(name: "min_cost" | "min_duration", text: string | undefined): string {
  const [, digits = "", unit = "ms"] = /^([\d.]+(?:e-?\d+)?)(ms|s|m|h)?$/i.exec(text ?? "") ?? [];
  const amount = Number(digits) * (name === "min_cost" ? 1 : UNIT_S[unit.toLowerCase()]);
  return digits === "" || !Number.isFinite(amount) ? "" : String(Number(amount.toFixed(9)));
}
