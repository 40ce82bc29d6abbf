import { expect, test } from "vitest";
import { csv } from "./csv";
import { change, changed, fittingInterval, nextStart, percent, placed, sinceText, spanOf, startOf, starts, within } from "./span";

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;

test("a range is read from what the address says", () => {
  expect(spanOf("24h", undefined, NOW)).toEqual({ from: NOW - 24 * HOUR, to: NOW });
  expect(spanOf("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", NOW)).toEqual({ from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 2) });
  expect(spanOf(undefined, undefined, NOW)).toEqual({ from: null, to: NOW });
  expect(spanOf("yesterday", undefined, NOW)).toEqual({ from: null, to: NOW });
});

test("what is chosen of a range does not reach beyond it", () => {
  const day = { since: "2026-11-19T12:30:00.5Z", until: "2026-11-20T09:15:00Z" };
  const at = (hour: number) => Date.UTC(2026, 10, 19, hour);
  expect(within(day, NOW, at(12), at(13))).toEqual({ since: day.since, until: "2026-11-19T13:00:00.000Z" });
  expect(within(day, NOW, at(30), at(34))).toEqual({ since: "2026-11-20T06:00:00.000Z", until: day.until });
  expect(within({ since: "90m" }, NOW, NOW - 2 * HOUR, NOW + HOUR)).toEqual({ since: "2026-11-20T10:30:00.000Z", until: "2026-11-20T13:00:00.000Z" });
  expect(within({}, NOW, at(1), at(2))).toEqual({ since: "2026-11-19T01:00:00.000Z", until: "2026-11-19T02:00:00.000Z" });
});

test("intervals fit the range", () => {
  expect([1, 24, 24 * 7, 24 * 30, 24 * 365].map((hours) => fittingInterval(hours * HOUR))).toEqual(["minute", "hour", "hour", "day", "week"]);
});

test("days and weeks begin by the clock", () => {
  expect(startOf(Date.UTC(2026, 10, 22, 23, 59), "week", "utc")).toBe(Date.UTC(2026, 10, 16));
  expect(startOf(Date.UTC(2026, 10, 22, 23, 59), "day", "utc")).toBe(Date.UTC(2026, 10, 22));
  const local = startOf(NOW, "day", "local");
  expect(new Date(local).getHours()).toBe(0);
  expect(new Date(nextStart(local, "week", "local")).getHours()).toBe(0);
});

function inZone(zone: string, run: () => void): void {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    run();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

test("days that the clock's change makes longer or shorter are days", () => {
  inZone("Europe/Berlin", () => {
    const days = (from: number, to: number) => starts(from, to, "day", "local").map((at) => new Date(at).toISOString().slice(5, 13));
    expect(days(Date.UTC(2026, 2, 28, 12), Date.UTC(2026, 2, 30, 12))).toEqual(["03-27T23", "03-28T23", "03-29T22"]);
    expect(days(Date.UTC(2026, 9, 24, 12), Date.UTC(2026, 9, 26, 12))).toEqual(["10-23T22", "10-24T22", "10-25T23"]);
    expect(starts(Date.UTC(2026, 9, 25), Date.UTC(2026, 9, 25, 3), "hour", "local")).toHaveLength(3);
  });
});

test("a day whose midnight the clock leaves out moves none of those after it", () => {
  inZone("America/Santiago", () => {
    const days = starts(Date.UTC(2026, 8, 5, 12), Date.UTC(2026, 8, 8, 12), "day", "local");
    expect(days.map((at) => new Date(at).toISOString().slice(5, 13))).toEqual(["09-05T04", "09-06T04", "09-07T03", "09-08T03"]);
  });
});

test("a week that is asked for on a day without a midnight begins on Monday's", () => {
  inZone("America/Havana", () => {
    expect(new Date(startOf(Date.UTC(2026, 2, 8, 12), "week", "local")).toISOString()).toBe("2026-03-02T05:00:00.000Z");
  });
});

test("an hour is one where the clock moves amid it", () => {
  inZone("Pacific/Chatham", () => {
    // Those whose clock says 2:44 and 3:46 are two minutes apart, in the night in which an hour is left out.
    const [before, after] = [Date.UTC(2026, 8, 26, 13, 59), Date.UTC(2026, 8, 26, 14, 1)];
    expect([before, after].map((at) => new Date(startOf(at, "hour", "local")).toISOString().slice(11, 16))).toEqual(["13:15", "13:15"]);
  });
});

test("an hour in which the clock moves by half an hour is a shorter or a longer one", () => {
  inZone("Australia/Lord_Howe", () => {
    const hours = (from: number) => starts(from, from + 4 * HOUR, "hour", "local").map((at) => new Date(at).toISOString().slice(11, 16));
    expect(hours(Date.UTC(2026, 9, 3, 13, 30))).toEqual(["13:30", "14:30", "15:30", "16:00", "17:00"]);
    expect(hours(Date.UTC(2026, 3, 4, 13))).toEqual(["13:00", "14:00", "15:30", "16:30"]);
  });
});

test("every interval of a range is there, and a series finds its places", () => {
  const at = starts(NOW - 2 * HOUR, NOW, "hour", "utc");
  expect(at).toEqual([NOW - 2 * HOUR, NOW - HOUR]);
  const series = [{ at: new Date(NOW - HOUR).toISOString(), count: 7 }];
  expect(placed(at, series, (index) => series[index].count, 0)).toEqual([0, 7]);
  expect(starts(NOW, NOW, "hour", "utc")).toEqual([]);
});

test("a change is told against what was", () => {
  expect([change(12, 10), change(5, 0), change(null, 3)]).toEqual([0.2, null, null]);
  expect([0.2, -0.04, 0.001, 2.4, 8.94, 19, 12_344, null].map(changed)).toEqual(["+20%", "−4%", "±0%", "×3.4", "×9.9", "×20", "×12,345", ""]);
  expect([0, 0.0002, 0.013, 0.42, 1, null].map(percent)).toEqual(["0%", "<0.1%", "1.3%", "42%", "100%", "–"]);
  expect([0.994, 0.997, 0.9996, 0.1 + 0.2 + 0.7].map(percent)).toEqual(["99%", "99.7%", ">99.9%", "100%"]);
  // Three of a thousand are not none.
  expect([-0.997, -1].map(changed)).toEqual(["−99%", "−100%"]);
});

test("a file of values runs nothing", () => {
  expect(csv(["a", "b"], [["=1+1", 2], ['say "x", y', null]])).toBe('a,b\r\n\'=1+1,2\r\n"say ""x"", y",\r\n');
});

test("a beginning is told as people say it", () => {
  const said = ["90m", "1h", "2w", "7D", "2026-11-20T14:02:00Z", "long ago"].map((since) => sinceText(since, "utc"));
  expect(said).toEqual(["Last 90 minutes", "Last 1 hour", "Last 2 weeks", "Last 7 days", "Since 20 Nov 2026 14:02", "Since long ago"]);
});
