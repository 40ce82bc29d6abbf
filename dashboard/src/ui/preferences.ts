/** What the reader chose for this browser: theme, zone, what the wheel does. Kept in local storage, never sent. */

import { useSyncExternalStore } from "react";
import type { Zone } from "../model/time";

export type Theme = "system" | "light" | "dark";
export type Wheel = "zoom" | "scroll";

interface Preferences {
  theme: Theme;
  zone: Zone;
  wheel: Wheel;
  panelWidth: string;
  columns: string;
  views: string;
}

const DEFAULTS: Preferences = { theme: "system", zone: "local", wheel: "zoom", panelWidth: "440", columns: "", views: "" };

const listeners = new Set<() => void>();

function stored<K extends keyof Preferences>(name: K): Preferences[K] {
  try {
    return (localStorage.getItem(`agentops.${name}`) ?? DEFAULTS[name]) as Preferences[K];
  } catch {
    return DEFAULTS[name];
  }
}

const current: Preferences = Object.fromEntries(
  Object.keys(DEFAULTS).map((name) => [name, stored(name as keyof Preferences)]),
) as unknown as Preferences;

export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  try {
    localStorage.setItem(`agentops.${name}`, value);
  } catch {
    // Kept for this page only.
  }
  take(name, value);
}

// Chosen in another tab, it holds here too: what is kept next must not undo it.
window.addEventListener("storage", ({ key }) => {
  for (const name of Object.keys(DEFAULTS) as (keyof Preferences)[]) {
    if (key === null || key === `agentops.${name}`) take(name, stored(name));
  }
});

function take<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  current[name] = value;
  if (name === "theme") showTheme();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreference<K extends keyof Preferences>(name: K): Preferences[K] {
  return useSyncExternalStore(subscribe, () => current[name]);
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paper = window.matchMedia("print");
for (const query of [dark, paper]) {
  query.addEventListener("change", () => {
    for (const listener of listeners) listener();
  });
}

/** Whether the page is being printed: what is drawn must be so at once, and on white. */
export function isOnPaper(): boolean {
  return paper.matches;
}

/** Put the chosen theme on the page. */
export function showTheme(): void {
  if (current.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = current.theme;
}

/** The theme on screen, whoever decided it. */
export function shownTheme(): "light" | "dark" {
  if (isOnPaper()) return "light";
  if (current.theme !== "system") return current.theme;
  return dark.matches ? "dark" : "light";
}

export function useShownTheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, shownTheme);
}

export function toggleTheme(): void {
  setPreference("theme", shownTheme() === "dark" ? "light" : "dark");
}

export function toggleZone(): void {
  setPreference("zone", current.zone === "utc" ? "local" : "utc");
}
