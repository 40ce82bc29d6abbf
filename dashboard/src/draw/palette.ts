/** The stylesheet's colours as a canvas needs them: resolved for the theme that is shown. */

import { KINDS } from "../model/kinds";

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
    onKinds: KINDS.map((kind) => color(kind === "tool" ? "on-tool" : "on-kind")),
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
