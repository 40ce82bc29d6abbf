/** Which numbered events of a process are missing, and what it says about them, in words. */

import { grouped } from "./format";

export interface ProcessLedger {
  readonly instance: string;
  readonly service: string | null;
  readonly pid: number | null;
  readonly sent: number;
  readonly stored: number;
  /** Numbers that are not stored, as ranges: first and last. */
  readonly gaps: readonly (readonly number[])[];
  readonly gaps_left_out: number;
}

const SHOWN = 20;

/** `3, 7–9, 12`, at most so many ranges. */
export function ranges(gaps: readonly (readonly number[])[], leftOut = 0): string {
  const shown = gaps.slice(0, SHOWN).map(([first, last]) => (first === last ? grouped(first) : `${grouped(first)}–${grouped(last)}`));
  const more = gaps.slice(SHOWN).reduce((sum, [first, last]) => sum + last - first + 1, leftOut);
  return shown.join(", ") + (more > 0 ? ` and ${grouped(more)} more` : "");
}

/** `4 lost: disk full`, by reason; empty when nothing was. */
export function losses(lost: Readonly<Record<string, number>>): string {
  return Object.entries(lost)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${grouped(count)} lost: ${reason.replaceAll("_", " ")}`)
    .join(", ");
}
