import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isContainer, KINDS } from "../model/kinds";
import { STATUS_ERROR, STATUS_INTERRUPTED, STATUS_OK } from "../model/table";
import { inkOn, ON_KINDS, opacityOf } from "./palette";

type Rgb = readonly number[];

const TOKENS = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");

/** A colour of the stylesheet: 0 light, 1 dark. */
function token(name: string, theme: number): Rgb {
  const text = new RegExp(`--${name}: ([^;]+);`).exec(TOKENS)![1];
  const other = /var\(--(.+)\)/.exec(text);
  if (other) return token(other[1], theme);
  return Array.from(text.matchAll(/#(..)(..)(..)/g))[theme].slice(1, 4).map((hex) => Number.parseInt(hex, 16));
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((one) => (one <= 10 ? one / 3294.6 : ((one / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast of WCAG 2. */
function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test.each([0, 1])("texts on bars are legible in theme %i", (theme) => {
  const named = { text: "text", onFail: "on-kind", onKinds: ON_KINDS };
  const faint = [];
  for (const [kind, name] of KINDS.entries()) {
    for (const status of [STATUS_OK, STATUS_ERROR, STATUS_INTERRUPTED]) {
      const color = token(status === STATUS_ERROR && !isContainer(name) ? "fail" : name, theme);
      const share = opacityOf(kind, status);
      const bar = token("bg", theme).map((ground, at) => share * color[at] + (1 - share) * ground);
      const found = contrast(token(inkOn(named, kind, status), theme), bar);
      if (found < 4.5) faint.push(`${name} ${status}: ${found.toFixed(2)}`);
    }
  }
  expect(faint).toEqual([]);
});

test.each([0, 1])("texts beside bars are legible in theme %i, on a selected row too", (theme) => {
  for (const ink of ["dim", "faint", "fail"]) {
    for (const ground of ["bg", "sunk", "accent-soft"]) {
      expect(contrast(token(ink, theme), token(ground, theme)), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  }
});
