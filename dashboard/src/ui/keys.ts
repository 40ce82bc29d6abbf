/** The keyboard: each view binds its keys while it is shown; `?` lists what is bound. Sequences are written `g s`. */

import { useEffect, useLayoutEffect, useRef, useState } from "react";

export interface Binding {
  /** A `KeyboardEvent.key`, or two of them with a space between. */
  readonly keys: string;
  /** What it does, for the list; empty leaves it out. */
  readonly does: string;
  /** False: there was nothing to do here, the view around it may have. */
  readonly run: (event: KeyboardEvent) => void | boolean;
}

interface Level {
  name: string;
  bindings: readonly Binding[];
  /** A view is drawn for the first time before what stands in it, but mounted after it. */
  readonly drawn: number;
}

const stacks: Level[] = [];
let drawnLast = 0;
const PATIENCE_MS = 1000;
let prefix = "";
let prefixAt = 0;
/** Keys for the page that is on its way; null while none is. */
let held: KeyboardEvent[] | null = null;

/** All bindings on the page, the innermost view first. */
export function boundKeys(): readonly { name: string; bindings: readonly Binding[] }[] {
  return stacks.toReversed();
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    !/^(checkbox|radio|range|button)$/.test((target as HTMLInputElement).type ?? "")
  );
}

/** What the keys are bound to, the innermost view first. */
function find(keys: string): Binding[] {
  return stacks.toReversed().flatMap(({ bindings }) => bindings.filter((binding) => binding.keys === keys));
}

/** The key by its letter, whether Caps Lock is on or not; where a keyboard writes others than Latin ones, by its place. */
function keyOf(event: KeyboardEvent): string {
  const place = /^Key([A-Z])$/.exec(event.code)?.[1].toLowerCase();
  const isLatin = /^[a-z]$/i.test(event.key);
  if (event.key.length !== 1 || place === undefined || (isLatin && !event.getModifierState("CapsLock"))) return event.key;
  const letter = isLatin ? event.key.toLowerCase() : place;
  return event.shiftKey ? letter.toUpperCase() : letter;
}

function press(event: KeyboardEvent): void {
  // A key of an input method: it chooses or gives up what is being composed.
  if (event.isComposing) return;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) && event.key !== "Escape") return;
  // Esc too is the dialog's own then: what prevents the key prevents the closing. Nor do keys reach behind an open menu.
  if (document.querySelector("dialog[open], .menu > .surface")) return;
  if (held && event.key.length === 1 && event.key !== " ") {
    held.push(event);
    event.preventDefault();
    return;
  }
  act(event);
}

/** Do what the innermost view has bound to a key. */
function act(event: KeyboardEvent): void {
  const key = keyOf(event);
  const fresh = event.timeStamp - prefixAt < PATIENCE_MS;
  const sequence = prefix && fresh ? find(`${prefix} ${key}`) : [];
  prefix = "";
  const found = sequence.length > 0 ? sequence : find(key);
  if (found.length > 0) {
    // Enter and Space belong to the button or link that has the focus.
    if ((event.key === "Enter" || event.key === " ") && event.target instanceof Element && event.target.closest("a,button,summary")) {
      return;
    }
    event.preventDefault();
    found.some((binding) => binding.run(event) !== false);
    return;
  }
  if (stacks.some(({ bindings }) => bindings.some(({ keys }) => keys.startsWith(`${key} `)))) {
    prefix = key;
    prefixAt = event.timeStamp;
  }
}

window.addEventListener("keydown", press);

/** Another page is on its way: letters are meant for it, not for the one that still stands. */
export function holdKeys(): void {
  held ??= [];
}

/** The page that was on its way stands: the letters typed meanwhile are its own. */
export function releaseKeys(): void {
  const typed = held ?? [];
  held = null;
  typed.forEach(act);
}

/** Bind keys while the component is mounted. The latest closures run; the list itself may change freely. */
export function useKeys(name: string, bindings: readonly Binding[]): void {
  const [drawn] = useState(() => ++drawnLast);
  const latest = useRef<Level>({ name, bindings, drawn });
  useEffect(() => {
    latest.current.bindings = bindings;
  });
  useLayoutEffect(() => {
    const level = latest.current;
    level.name = name;
    stacks.push(level);
    stacks.sort((one, other) => one.drawn - other.drawn);
    return () => {
      stacks.splice(stacks.indexOf(level), 1);
    };
  }, [name]);
}
