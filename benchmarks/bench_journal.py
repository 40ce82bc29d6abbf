"""Measure the journal: time of an append as its caller sees it, and how fast a backlog leaves for a server.

Run: python -m benchmarks.bench_journal [--records N] [--backlog N] [--million]
The server is a process beside this one that reads each request and answers 200: the sender is measured. With
--million only a backlog of a million records of 1 KB (1.1 GB of disk) is drained, and the memory watched.
"""

from __future__ import annotations

import argparse
import http.server
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from agentops.journal import Header, Journal
from agentops.shipper import Shipper, Target, drain_orphans
from agentops.shipper.outcome import ACCEPTED, Outcome, Signal

RESOURCE: Final = b'{"attributes":[{"key":"service.name","value":{"stringValue":"bench"}}]}'
TARGET_US: Final = 10.0


def lines_of(size: int, count: int) -> list[bytes]:
    """Return records of about `size` bytes, with text that compresses as text does."""
    chance = random.Random(size)
    words = [
        "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(2000)
    ]
    lines: list[bytes] = []
    for number in range(count):
        text = " ".join(chance.choices(words, k=size // 7))[: size - 380]
        span = {
            "traceId": f"{chance.getrandbits(128):032x}",
            "spanId": f"{chance.getrandbits(64):016x}",
            "name": "step",
            "kind": 1,
            "startTimeUnixNano": str(1_790_000_000_000_000_000 + number),
            "endTimeUnixNano": str(1_790_000_000_000_500_000 + number),
            "attributes": [
                {"key": "agentops.entity.input", "value": {"stringValue": text}},
                {"key": "agentops.record.seq", "value": {"intValue": str(number)}},
            ],
        }
        record = {"spans": [span], "scope": {"name": "agentops", "version": "1.0"}}
        lines.append(json.dumps(record, separators=(",", ":")).encode())
    return lines


def serve_for_ever() -> None:
    """Answer 200 to whatever is posted, once it has been read."""

    class Sink(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] -- wider
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_port, flush=True)
    server.serve_forever()


def journal_in(folder: Path, url: str) -> Journal:
    """Return a journal with the settings' defaults."""
    header = Header(RESOURCE, url)
    return Journal(folder, lambda: header, segment_bytes=8 << 20, max_bytes=1 << 40)


def shipper_of(journal: Journal, url: str) -> Shipper:
    """Return a shipper with the settings' defaults."""
    target = Target(url + "/v1/traces", url + "/v1/logs")
    return Shipper(journal, lambda: target, max_delay_ms=1000, max_records=512)


def bench_append(folder: Path, url: str, size: int, count: int, *, ship: bool) -> None:
    """Print the percentiles of one append, alone or while the shipper ships."""
    lines = lines_of(size, 2000)
    journal = journal_in(folder, url)
    shipper = shipper_of(journal, url) if ship else None
    clock = time.perf_counter_ns
    times: list[int] = []
    for number in range(count):
        line = lines[number % len(lines)]
        begun = clock()
        journal.append(line)
        times.append(clock() - begun)
        if number % 20 == 0:
            time.sleep(0.0005)  # A program does other things too.
    if shipper is not None:
        shipper.close(30)
    journal.close()
    times.sort()
    p50, p99, p999 = (times[int(len(times) * part)] / 1000 for part in (0.5, 0.99, 0.999))
    kind = "shipping" if ship else "alone"
    verdict = "" if p50 <= TARGET_US else f"  over {TARGET_US:g} us"
    times_us = f"p50 {p50:6.2f} us   p99 {p99:7.2f} us   p99.9 {p999:8.2f} us"
    print(f"append {size:>5} B, {kind:<8}  {times_us}{verdict}")


def bench_drain(folder: Path, url: str, size: int, count: int, *, only_http: bool = False) -> None:
    """Print how fast a backlog leaves: over HTTP, and into a function as the local server does."""
    lines = lines_of(size, 2000)

    def fill() -> None:
        journal = journal_in(folder, url)
        for number in range(count):
            journal.append(lines[number % len(lines)])
        journal.close()

    fill()
    journal = journal_in(folder, url)
    before = resource.getrusage(resource.RUSAGE_SELF)
    resident_mb = [resident()]
    begun = time.perf_counter()
    shipper = shipper_of(journal, url)
    journal.append(lines[0])
    while shipper.stats().records < count + 1:
        time.sleep(0.05)
        resident_mb.append(resident())
    # Orphans of other processes are looked for a second after the start: that second is not draining.
    took = time.perf_counter() - begun - 1.0
    after = resource.getrusage(resource.RUSAGE_SELF)
    shipper.close(5)
    journal.close()
    cpu_us = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count * 1e6
    report("drain", size, count, took, f"over HTTP, {cpu_us:.1f} us CPU a record")
    half = len(resident_mb) // 2
    print(
        f"{'':<21}resident {resident_mb[0]:.0f} MB before, at most {max(resident_mb[: half + 1]):.0f} MB in "
        f"the first half, {max(resident_mb[half:]):.0f} MB in the second"
    )
    if only_http:
        return

    fill()

    def swallow(signal: Signal, body: bytes) -> Outcome:
        return ACCEPTED

    begun = time.perf_counter()
    drained = drain_orphans(folder, swallow, lambda header: True, max_segments=1 << 30)
    assert drained.records == count
    report("drain", size, count, time.perf_counter() - begun, "into a function")


def bench_orphans(folder: Path, url: str, processes: int, each: int) -> None:
    """Print in how many requests the segments of many dead processes leave, and how fast."""
    lines = lines_of(1500, each)
    for _ in range(processes):
        journal = journal_in(folder, url)
        for line in lines:
            journal.append(line)
        journal.close()
    requests = 0

    def count(signal: Signal, body: bytes) -> Outcome:
        nonlocal requests
        requests += 1
        return ACCEPTED

    begun = time.perf_counter()
    drained = drain_orphans(folder, count, lambda header: True, max_segments=1 << 30)
    took = time.perf_counter() - begun
    assert drained.records == processes * each
    print(f"orphans  {processes} segments of {each} records: {took:.2f} s, {requests} requests")


def resident() -> float:
    """Return the resident set of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
    return pages * resource.getpagesize() / 1e6


def report(what: str, size: int, count: int, took_s: float, how: str) -> None:
    """Print one rate."""
    rate = count / took_s
    print(
        f"{what}  {size:>5} B, {count} records: {rate:9,.0f} records/s, {rate * size / 1e6:6.0f} MB/s ({how})"
    )


def main() -> None:
    """Run every measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--million", action="store_true", help="drain a million records, nothing else")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve_for_ever()
        return
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    folder = Path(tempfile.mkdtemp(prefix="bench-journal-"))
    try:
        if chosen.million:
            bench_drain(folder / "million", url, 1000, 1_000_000, only_http=True)
            return
        for size in (1500, 4096):
            for ship in (False, True):
                bench_append(folder / f"append-{size}-{ship}", url, size, chosen.records, ship=ship)
        for size in (1500, 4096):
            bench_drain(folder / f"drain-{size}", url, size, chosen.backlog)
        bench_orphans(folder / "orphans", url, 1000, 5)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
