/** The stylesheet's colours as a canvas needs them: resolved for the theme that is shown. */

import { isContainer, KINDS } from "../model/kinds";
import { STATUS_ERROR, STATUS_INTERRUPTED } from "../model/table";

export interface Palette {
  readonly kinds: readonly string[];
  /** Text on a bar of the kind. */
  readonly onKinds: readonly string[];
  readonly text: string;
  readonly dim: string;
  readonly faint: string;
  readonly line: string;
  readonly line2: string;
  readonly panel: string;
  readonly sunk: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly fail: string;
  readonly onFail: string;
  readonly font: string;
}

/** The colour, by its name in the stylesheet, of a text on a bar of the kind. */
export const ON_KINDS: readonly string[] = KINDS.map((kind) => (kind === "tool" || kind === "embedding" ? "on-bright" : "on-kind"));

/** How much of its colour the bar of an event has: what holds others is a tint, what was interrupted is pale. */
export function opacityOf(kind: number, status: number): number {
  if (isContainer(KINDS[kind])) return 0.22;
  return status === STATUS_INTERRUPTED ? 0.5 : 1;
}

/** The colour of a text on the bar of an event. */
export function inkOn(palette: Pick<Palette, "text" | "onFail" | "onKinds">, kind: number, status: number): string {
  if (opacityOf(kind, status) < 1) return palette.text;
  return status === STATUS_ERROR ? palette.onFail : palette.onKinds[kind];
}

/** Read the palette off the document. Costs a style computation: call on theme changes only. */
export function readPalette(): Palette {
  const probe = document.createElement("span");
  probe.style.display = "none";
  // Forced colours would make one of all kinds.
  probe.style.setProperty("forced-color-adjust", "none");
  document.body.append(probe);
  const color = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    kinds: KINDS.map((kind) => color(kind)),
    onKinds: ON_KINDS.map(color),
    text: color("text"),
    dim: color("dim"),
    faint: color("faint"),
    line: color("line"),
    line2: color("line2"),
    panel: color("panel"),
    sunk: color("sunk"),
    accent: color("accent"),
    accentSoft: color("accent-soft"),
    fail: color("fail"),
    onFail: color("on-kind"),
    font: '"Inter Variable", system-ui, sans-serif',
  };
  probe.remove();
  return palette;
}
