/**
 * Runs a task when asked, but never twice at once, and no more often than it can bear: after a run that took long,
 * it waits longer. The last ask is always honoured.
 */
export class Pace {
  private running = false;
  private asked = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private restUntil = 0;
  private readonly task: () => Promise<unknown>;
  private readonly restMs: number;
  private readonly share: number;

  /** Rests `restMs` after a run, or `share` times as long as the run took when that is longer. */
  constructor(task: () => Promise<unknown>, restMs: number, share = 2) {
    this.task = task;
    this.restMs = restMs;
    this.share = share;
  }

  ask(): void {
    this.asked = true;
    this.plan();
  }

  stop(): void {
    this.asked = false;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private plan(): void {
    if (!this.asked || this.running || this.timer !== null) return;
    const wait = this.restUntil - performance.now();
    if (wait > 0) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.plan();
      }, wait);
      return;
    }
    void this.run();
  }

  private async run(): Promise<void> {
    this.asked = false;
    this.running = true;
    const from = performance.now();
    try {
      await this.task();
    } catch {
      // The task shows its own failures; the next ask tries again.
    } finally {
      this.running = false;
      this.restUntil = performance.now() + Math.max(this.restMs, this.share * (performance.now() - from));
      this.plan();
    }
  }
}
