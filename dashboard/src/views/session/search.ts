/** What the address of a session holds: the view, the selected event, what is searched, hidden and zoomed. */

import { KINDS } from "../../model/kinds";

export const VIEWS = ["timeline", "tree", "messages", "logs", "raw"] as const;
export type View = (typeof VIEWS)[number];

const LEVELS = ["9", "13", "17"] as const;

export const VIEW_NAMES: Record<View, string> = {
  timeline: "Timeline",
  tree: "Tree",
  messages: "Messages",
  logs: "Logs and errors",
  raw: "Raw",
};

export interface SessionSearch {
  view?: View;
  event?: string;
  find?: string;
  /** Kinds that are switched off. */
  hide?: string[];
  /** `from-to` in milliseconds after the start. */
  zoom?: string;
  ruler?: "clock";
  /** The least severity of log records: info, warnings, errors. */
  level?: (typeof LEVELS)[number];
}

/**
 * Whether a change only moves what the address holds already, such as the selection from event to event: back leads to
 * before it began, not through every step of it. What begins, ends, or is another view is a step of its own.
 */
export function isMove(from: SessionSearch, change: Partial<SessionSearch>): boolean {
  return !("view" in change) && Object.entries(change).every(([name, value]) => (from[name as keyof SessionSearch] === undefined) === (value === undefined));
}

export function readSessionSearch(raw: Record<string, unknown>): SessionSearch {
  const search: SessionSearch = {};
  const text = (name: string) => {
    const value = raw[name];
    const first = Array.isArray(value) ? value[0] : value;
    return first == null || first === "" ? undefined : String(first);
  };
  const view = text("view");
  if ((VIEWS as readonly (string | undefined)[]).includes(view)) search.view = view as View;
  for (const name of ["event", "find", "zoom"] as const) {
    const value = text(name);
    if (value) search[name] = value;
  }
  if (text("ruler") === "clock") search.ruler = "clock";
  const level = LEVELS.find((one) => one === text("level"));
  if (level) search.level = level;
  const hide = (Array.isArray(raw.hide) ? raw.hide : [raw.hide]).map(String);
  const known = hide.filter((kind) => (KINDS as readonly string[]).includes(kind));
  if (known.length > 0) search.hide = known;
  return search;
}
