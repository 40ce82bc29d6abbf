/** Which room may import which. A lower room never knows a higher one; the pure rooms know no browser. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const SRC = import.meta.dirname;

/** Every room, with the rooms it may import. */
const MAY: Record<string, readonly string[]> = {
  model: [],
  layout: ["model"],
  draw: ["model", "layout"],
  api: ["model"],
  ui: ["model", "api"],
  views: ["model", "layout", "draw", "api", "ui"],
  app: ["model", "api", "ui", "views"],
  viewer: ["model", "api", "ui", "views"],
};
/** Rooms of plain values: nothing from outside, and no browser. */
const PURE = ["model", "layout"];
const BROWSER = /\b(document|window|navigator|localStorage|HTMLElement|requestAnimationFrame|fetch)\b\s*[.(]/;

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && path.includes("/"))
  .map((path) => ({ path, room: path.split("/")[0], text: readFileSync(join(SRC, path), "utf8") }));

function imports(text: string): string[] {
  return Array.from(text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g), (match) => match[1]);
}

function trespasses(): string[] {
  return files.flatMap(({ path, room, text }) =>
    imports(text).flatMap((target) => {
      if (!target.startsWith(".")) {
        return PURE.includes(room) && target !== "vitest" ? [`${path} imports ${target}`] : [];
      }
      const other = relative(SRC, join(SRC, path, "..", target)).split("/")[0];
      return other === room || MAY[room].includes(other) ? [] : [`${path} imports ${target}`];
    }),
  );
}

test("every file stands in a known room", () => {
  expect(files.filter(({ room }) => !(room in MAY) && room !== "styles").map(({ path }) => path)).toEqual([]);
});

test("imports go down only", () => {
  expect(trespasses()).toEqual([]);
});

test("model and layout know no browser", () => {
  const guilty = files.filter(({ path, room, text }) => PURE.includes(room) && !path.endsWith(".test.ts") && BROWSER.test(text));
  expect(guilty.map(({ path }) => path)).toEqual([]);
});

test("no text of a session becomes markup", () => {
  const guilty = files.filter(({ path, text }) => !path.endsWith(".test.ts") && /dangerouslySetInnerHTML|innerHTML|rehype-raw/.test(text));
  expect(guilty.map(({ path }) => path)).toEqual([]);
});
