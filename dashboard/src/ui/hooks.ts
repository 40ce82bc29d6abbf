/** Small ties between React and the browser: sizes, the passing time, a value that has come to rest. */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { serverNow } from "../api/client";
import { live, type LiveState } from "../api/live";
import { useSyncExternalStore } from "react";

export interface Size {
  width: number;
  height: number;
}

/** The size of an element, kept up to date. */
export function useSize<T extends HTMLElement>(): [RefObject<T | null>, Size] {
  const ref = useRef<T>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const read = () => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}

/** A value once the page has been painted with it: what is asked for then does not hold its picture up. */
export function usePainted<T>(value: T): T {
  const [painted, setPainted] = useState(value);
  useEffect(() => {
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => setPainted(value));
    });
    return () => cancelAnimationFrame(frame);
  }, [value]);
  return painted;
}

/** One clock for all that tick alike: a list of times costs one timer, and a row that comes on view no second drawing. */
class Clock {
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setInterval> | undefined;
  private now = 0;
  private readonly everyMs: number;

  constructor(everyMs: number) {
    this.everyMs = everyMs;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.timer ??= setInterval(() => {
      this.now = serverNow();
      for (const one of this.listeners) one();
    }, this.everyMs);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  };

  /** The time of the last tick; a clock that stood still is set. */
  readonly read = (): number => {
    if (Math.abs(serverNow() - this.now) > this.everyMs) this.now = serverNow();
    return this.now;
  };
}

const clocks = new Map<number, Clock>();

/** Unix milliseconds that move on. */
export function useNow(everyMs: number): number {
  let clock = clocks.get(everyMs);
  if (!clock) clocks.set(everyMs, (clock = new Clock(everyMs)));
  return useSyncExternalStore(clock.subscribe, clock.read);
}

/** The value once it has not changed for `ms`. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** What Esc gives up while it is under way, before anything else hears of the key. */
export function useEscape(isUnderWay: boolean, giveUp: () => void): void {
  const latest = useRef(giveUp);
  useEffect(() => {
    latest.current = giveUp;
  });
  useEffect(() => {
    if (!isUnderWay) return;
    const heard = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      latest.current();
    };
    window.addEventListener("keydown", heard, true);
    return () => window.removeEventListener("keydown", heard, true);
  }, [isUnderWay]);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · AgentOps` : "AgentOps";
  }, [title]);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => live.onState(listener),
    () => live.state,
  );
}

/** Whether the screen is narrow: one column, panels as sheets. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener("change", listener);
      return () => narrow.removeEventListener("change", listener);
    },
    () => narrow.matches,
  );
}

const narrow = window.matchMedia("(max-width: 899px)");

/** Whether something holds and has held for a while: what is over soon is not worth painting the page anew for. */
export function useLasting(holds: boolean, afterMs: number): boolean {
  const [lasts, setLasts] = useState(false);
  if (lasts && !holds) setLasts(false);
  useEffect(() => {
    if (!holds) return;
    const timer = setTimeout(() => setLasts(true), afterMs);
    return () => clearTimeout(timer);
  }, [holds, afterMs]);
  return holds && lasts;
}

/** Gives the focus back to what an edit began from, where a key ended the edit: a pointer chose its own place. */
export function useGivenBack() {
  const isDue = useRef(false);
  const opener = useCallback((element: HTMLElement | null) => {
    if (!element || !isDue.current) return;
    isDue.current = false;
    element.focus();
  }, []);
  return { opener, giveBack: () => (isDue.current = true) };
}
