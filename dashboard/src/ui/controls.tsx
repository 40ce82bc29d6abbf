/** Things to press: copy, menus, switches, and what stands where there is nothing or something failed. */

import { type KeyboardEvent as KeyPress, type MouseEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { ApiError } from "../api/client";

/** Copy a text, which is made when it is asked for if it is long; says so for a moment. */
export function Copy({ text, label = "Copy", children }: { text: string | (() => string); label?: string; children?: ReactNode }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button"
      className={children ? "copy" : "icon"}
      aria-label={children ? undefined : label}
      title={label}
      onClick={() => void copied(typeof text === "string" ? text : text()).then(setDone)}
    >
      {children}
      {done ? <span className="done">copied</span> : !children && <CopyIcon />}
    </button>
  );
}

/** Pages of a plain http address are given no clipboard: there a selected text is copied as by hand. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr-only";
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return isDone;
  }
}

function CopyIcon() {
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" aria-hidden="true">
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
    </svg>
  );
}

/** A button that opens a small surface below it; Esc, a click elsewhere or Tab beyond its end closes. */
export function Menu({
  label,
  children,
  className = "btn",
  align = "left",
  name,
}: {
  label: ReactNode;
  children: (close: () => void) => ReactNode;
  className?: string;
  align?: "left" | "right";
  name?: string;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const menu = root.current;
    if (!open || !menu) return;
    // A press on a label inside takes the focus out, too.
    let isByTab = false;
    const outside = (event: PointerEvent) => {
      isByTab = false;
      if (!menu.contains(event.target as Node)) setOpen(false);
    };
    const left = ({ relatedTarget }: FocusEvent) => {
      if (isByTab && relatedTarget && !menu.contains(relatedTarget as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      isByTab = event.key === "Tab";
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      setOpen(false);
      menu.querySelector("button")?.focus();
    };
    menu.addEventListener("focusout", left);
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", escape, true);
    return () => {
      menu.removeEventListener("focusout", left);
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", escape, true);
    };
  }, [open]);
  const close = () => {
    // Who chose by key stays where the menu was; a pointer leaves the keys to the page.
    const isByKey = root.current?.querySelector(".surface :focus-visible") != null;
    setOpen(false);
    if (isByKey) root.current?.querySelector("button")?.focus();
  };
  return (
    <div className="menu" ref={root}>
      <button type="button" className={className} aria-expanded={open} aria-label={name} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open && <Surface align={align}>{children(close)}</Surface>}
    </div>
  );
}

/** Between what opens and the edge of the window. */
const EDGE = 8;

/** What a menu opens: pushed aside where the window ends, and no higher than there is room below its button. */
function Surface({ align, children }: { align: "left" | "right"; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const surface = ref.current!;
    const fit = () => {
      surface.style.translate = "";
      const { left, right, top, bottom } = surface.getBoundingClientRect();
      const { clientWidth, clientHeight } = document.documentElement;
      const aside = Math.max(Math.min(0, clientWidth - EDGE - right), EDGE - left);
      if (aside !== 0) surface.style.translate = `${aside}px 0`;
      if (bottom > clientHeight - EDGE) surface.style.setProperty("--room", `${clientHeight - EDGE - top}px`);
    };
    fit();
    // What it lists comes later, and may be wider.
    const observer = new ResizeObserver(fit);
    observer.observe(surface);
    const refit = () => {
      surface.style.removeProperty("--room");
      fit();
    };
    window.addEventListener("resize", refit);
    return () => {
      observer.disconnect();
      window.removeEventListener("resize", refit);
    };
  }, []);
  return (
    <div className={align === "right" ? "surface right" : "surface"} ref={ref}>
      {children}
    </div>
  );
}

/** Where an arrow key leads to among so many in a ring, which takes the key; null for any other. */
export function stepped(event: KeyPress, from: number, count: number): number | null {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return null;
  event.preventDefault();
  return (from + by + count) % count;
}

/** One choice of few. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  const stop = options.some(([option]) => option === value) ? value : options[0][0];
  /** One stop of Tab, in which the arrows choose: so are radio buttons. */
  const step = (event: KeyPress<HTMLDivElement>) => {
    const to = stepped(event, options.findIndex(([option]) => option === stop), options.length);
    if (to === null) return;
    event.currentTarget.querySelectorAll("button")[to].focus();
    onChange(options[to][0]);
  };
  return (
    // The keys are those of the radio buttons inside, of which one has the focus.
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus
    <div className="choice" role="radiogroup" aria-label={label} onKeyDown={step}>
      {options.map(([option, name]) => (
        <button
          key={option}
          type="button"
          role="radio"
          aria-checked={option === value}
          tabIndex={option === stop ? undefined : -1}
          onClick={() => onChange(option)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div className="failure" role="alert">
      <b>{error.message}</b>
      {error instanceof ApiError && error.hint && <p>{error.hint}</p>}
      {retry && (
        <button type="button" className="btn" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What Tab stops at. */
const STOPS = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]";

/** A modal that closes with Esc, its button, or a click beside it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  /** Whether the press that ends in a click began beside it: a text may be selected beyond its edge. */
  const isPressedBeside = useRef(false);
  /** From the last one Tab leads to the first, and back: the browser's own bars are no part of what is asked. */
  const turn = (event: KeyPress<HTMLDialogElement>) => {
    if (event.key !== "Tab" || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [...event.currentTarget.querySelectorAll<HTMLElement>(STOPS)].filter((one) => one.tabIndex >= 0 && one.offsetParent !== null);
    const [first, last] = [stops.at(0), stops.at(-1)];
    if (document.activeElement !== (event.shiftKey ? first : last)) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  };
  const isBeside = ({ clientX: x, clientY: y }: MouseEvent) => {
    const { left, right, top, bottom } = ref.current!.getBoundingClientRect();
    return x < left || x > right || y < top || y > bottom;
  };
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    // However it was closed: the focus returns to where it came from.
    return () => {
      if (before instanceof HTMLElement && document.activeElement === document.body) before.focus();
    };
  }, []);
  return (
    // Esc is the dialog's own key; the click beside it is for the pointer only.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={ref}
      aria-label={title}
      onClose={onClose}
      onKeyDown={turn}
      onPointerDown={(event) => (isPressedBeside.current = isBeside(event))}
      onClick={(event) => isPressedBeside.current && isBeside(event) && onClose()}
    >
      <header>
        <h2>{title}</h2>
        <span className="grow" />
        <button type="button" className="icon" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** Asks once more before something is lost. */
export function Confirm({
  title,
  does,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  does: string;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      <footer>
        <button type="button" className="btn" onClick={onClose}>
          Keep
        </button>
        <button type="button" className="btn danger" onClick={onConfirm}>
          {does}
        </button>
      </footer>
    </Dialog>
  );
}
