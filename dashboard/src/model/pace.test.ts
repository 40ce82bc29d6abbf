import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pace } from "./pace";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("asks while it runs or rests are honoured once, after it", async () => {
  let runs = 0;
  const pace = new Pace(async () => {
    runs++;
  }, 400);
  for (let ask = 0; ask < 5; ask++) pace.ask();
  await vi.advanceTimersByTimeAsync(0);
  expect(runs).toBe(1);
  await vi.advanceTimersByTimeAsync(399);
  expect(runs).toBe(1);
  await vi.advanceTimersByTimeAsync(2);
  expect(runs).toBe(2);
  await vi.advanceTimersByTimeAsync(5000);
  expect(runs).toBe(2);
});

test("a task that takes long is given longer rests", async () => {
  const starts: number[] = [];
  const pace = new Pace(async () => {
    starts.push(Date.now());
    await new Promise((done) => setTimeout(done, 1000));
  }, 100);
  pace.ask();
  await vi.advanceTimersByTimeAsync(500);
  pace.ask();
  await vi.advanceTimersByTimeAsync(5000);
  expect(starts.length).toBe(2);
  expect(starts[1] - starts[0]).toBeGreaterThanOrEqual(3000);
});

test("a failed run does not end the pace, and a stopped one stays still", async () => {
  let runs = 0;
  const pace = new Pace(async () => {
    runs++;
    throw new Error("lost");
  }, 100);
  pace.ask();
  await vi.advanceTimersByTimeAsync(200);
  pace.ask();
  await vi.advanceTimersByTimeAsync(200);
  expect(runs).toBe(2);
  pace.ask();
  pace.ask();
  pace.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect(runs).toBeLessThanOrEqual(3);
});

test("a clock that is set back makes no rest longer", async () => {
  let runs = 0;
  const pace = new Pace(async () => void runs++, 400);
  pace.ask();
  await vi.advanceTimersByTimeAsync(0);
  vi.setSystemTime(Date.now() - 3_600_000);
  pace.ask();
  await vi.advanceTimersByTimeAsync(402);
  expect(runs).toBe(2);
});
