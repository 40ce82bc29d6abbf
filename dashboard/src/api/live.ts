/**
 * The server's word that something changed: one connection for the whole page, shared by every view.
 * After a lost connection subscribers are told that anything may have changed (`null`).
 */

export type Changed = ReadonlySet<string> | null;
export type LiveState = "connecting" | "live" | "lost";

type Listener = (changed: Changed) => void;

export class Live {
  private source: EventSource | null = null;
  private wasLost = false;
  private readonly listeners = new Set<Listener>();
  private readonly stateListeners = new Set<() => void>();
  state: LiveState = "connecting";
  private readonly path: string;

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

  private connect(): void {
    if (this.source) return;
    const source = new EventSource(this.path);
    this.source = source;
    source.addEventListener("open", () => {
      this.setState("live");
      if (this.wasLost) this.tell(null);
      this.wasLost = false;
    });
    source.addEventListener("error", () => {
      this.wasLost = true;
      this.setState("lost");
      // A refused connection is final for EventSource; an interrupted one it mends by itself.
      if (source.readyState === EventSource.CLOSED) {
        this.source = null;
        setTimeout(() => this.connect(), 2000);
      }
    });
    source.addEventListener("message", (message: MessageEvent<string>) => {
      const changed = readFrame(message.data);
      if (changed) this.tell(changed);
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
