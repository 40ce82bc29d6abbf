import { expect, test } from "vitest";
import { ago, both, clock, day, twin, withMoments } from "./time";
import { epochMicros } from "./units";

const AT = epochMicros("2026-11-20T14:02:11.482913Z");

test("microseconds survive reading and showing", () => {
  expect(AT).toBe(1_795_183_331_482_913);
  expect(clock(AT, "utc", 6)).toBe("14:02:11.482913");
  expect(clock(AT, "utc", 0)).toBe("14:02:11");
  expect(epochMicros("2026-11-20T14:02:11Z")).toBe(1_795_183_331_000_000);
  expect(epochMicros(null)).toBeNaN();
});

test("short for a column, by distance", () => {
  const after = (seconds: number) => ago(AT, AT + seconds * 1e6, "utc");
  expect([after(-3 * 86_400), after(-5 * 60), after(-5)]).toEqual(["20 Nov 14:02", "14:02", "now"]);
  expect([after(3), after(42), after(360), after(3 * 3600), after(30 * 3600), after(400 * 86_400)]).toEqual([
    "now",
    "42 s ago",
    "6 min ago",
    "14:02",
    "20 Nov 14:02",
    "20 Nov 2026",
  ]);
});

test("moments inside the server's sentences follow the zone", () => {
  const said = "stopped reporting at 2026-11-20T14:02:11.482913Z";
  expect(withMoments(said, Date.UTC(2026, 10, 20, 23) * 1000, "utc")).toBe("stopped reporting at 14:02:11 UTC");
  expect(withMoments(said, Date.UTC(2026, 10, 21) * 1000, "utc")).toBe("stopped reporting at 20 Nov 2026 14:02:11 UTC");
  expect(withMoments("exit code 7", 0, "local")).toBe("exit code 7");
});

test("hover tells both zones", () => {
  expect(both(AT)).toContain("20 Nov 2026 14:02:11.482913 UTC");
  expect(day(AT, "utc")).toBe("20 Nov 2026");
});

test("of an hour that the clock tells twice, it is said which", () => {
  const before = process.env.TZ;
  process.env.TZ = "America/St_Johns";
  const halves = ["2026-11-01T03:30", "2026-11-01T04:30"].map((text) => twin(epochMicros(`${text}:00Z`), "local"));
  expect(halves).toEqual([" UTC-2:30", " UTC-3:30"]);
  process.env.TZ = "Europe/Zurich";
  const told = ["2026-10-24T23:00", "2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"].map((text) => {
    const at = epochMicros(`${text}:00Z`);
    return clock(at, "local", 0).slice(0, 5) + twin(at, "local") + twin(at, "utc");
  });
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
  expect(told).toEqual(["01:00", "02:00 UTC+2", "02:00 UTC+1", "03:00"]);
});
