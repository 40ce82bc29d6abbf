/**
 * The server's word that something changed: one connection for the whole page, shared by every view.
 * Whenever the connection is opened, first or again, subscribers are told that anything may have changed (`null`):
 * what happened between their last answer and the opening went unheard.
 * A page that nobody sees holds no connection: browsers give all pages of a server six together, and the seventh would
 * wait for good.
 */

import { isFile } from "./client";

export type Changed = ReadonlySet<string> | null;
export type LiveState = "connecting" | "live" | "lost";

/** Stands in a frame for more sessions than the server remembers. */
const ANY = "*";
/** Who looks at another page for so long is not coming back at once. */
const UNSEEN_MS = 3_000;

type Listener = (changed: Changed) => void;

export class Live {
  private source: EventSource | null = null;
  private readonly listeners = new Set<Listener>();
  private readonly stateListeners = new Set<() => void>();
  /** Called whenever a server refused the connection, for whatever reason: an EventSource does not tell. */
  onRefusal: () => void = () => {};
  /** Called whenever the connection is there, first or again: the server answers. */
  onOpen: () => void = () => {};
  state: LiveState = "connecting";
  private readonly path: string;
  private isLooking = false;
  private resting: ReturnType<typeof setTimeout> | undefined;

  constructor(path = "/api/live") {
    this.path = path;
  }

  /** Hear of changed sessions. Returns how to stop. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    this.connect();
    return () => this.listeners.delete(listener);
  }

  onState(listener: () => void): () => void {
    this.stateListeners.add(listener);
    this.connect();
    return () => this.stateListeners.delete(listener);
  }

  /** The browser lost a network, or found one. It may not be the one to the server, and an open connection would not tell. */
  private async look(): Promise<void> {
    const isThere = await fetch("/healthz", { cache: "no-store" }).then(
      () => true,
      () => false,
    );
    if (isThere === (this.state === "live")) return;
    this.source?.close();
    this.source = null;
    if (!isThere) this.setState("lost");
    this.connect();
  }

  /** The page came on view, or went. */
  private seen(): void {
    clearTimeout(this.resting);
    if (!document.hidden) return this.connect();
    this.resting = setTimeout(() => {
      this.source?.close();
      this.source = null;
    }, UNSEEN_MS);
  }

  private watch(): void {
    this.isLooking = true;
    for (const change of ["offline", "online"]) window.addEventListener(change, () => void this.look());
    document.addEventListener("visibilitychange", () => this.seen());
  }

  private connect(): void {
    if (this.source || isFile()) return;
    if (!this.isLooking) this.watch();
    if (document.hidden) return;
    const source = new EventSource(this.path);
    this.source = source;
    source.addEventListener("open", () => {
      this.setState("live");
      this.onOpen();
      this.tell(null);
    });
    source.addEventListener("error", () => {
      this.setState("lost");
      // A refused connection is final for EventSource; an interrupted one it mends by itself.
      if (source.readyState === EventSource.CLOSED) {
        this.source = null;
        this.onRefusal();
        setTimeout(() => this.listeners.size + this.stateListeners.size > 0 && this.connect(), 2000);
      }
    });
    source.addEventListener("message", (message: MessageEvent<string>) => {
      const changed = readFrame(message.data);
      if (changed) this.tell(changed.has(ANY) ? null : changed);
    });
  }

  private tell(changed: Changed): void {
    for (const listener of this.listeners) listener(changed);
  }

  private setState(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.stateListeners) listener();
  }
}

/** The ids a frame names, or null when it names none. */
export function readFrame(text: string): Set<string> | null {
  try {
    const frame: unknown = JSON.parse(text);
    const sessions = (frame as { sessions?: unknown }).sessions;
    return Array.isArray(sessions) ? new Set(sessions.filter((id): id is string => typeof id === "string")) : null;
  } catch {
    return null;
  }
}

export const live = new Live();
