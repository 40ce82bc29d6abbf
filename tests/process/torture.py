"""Torture: programs and servers are killed, networks and disks fail, and then everything is counted.

One scenario is one function: it takes an empty folder, a seed and a size, and returns its figures.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from pathlib import Path

from agentops.journal import folder_stats
from agentops.journal.losses import saved_losses
from tests.process.faulty_proxy import FAULTS, Fault, FaultyProxy
from tests.process.torture_parts import (
    Figures,
    Mortal,
    Program,
    Reader,
    Watcher,
    free_port,
    mortal,
    serving,
    tmpfs,
)
from tests.waiting import eventually


def processes_killed(folder: Path, seed: int, size: int) -> Figures:
    """SIGKILL recording processes at random moments, their start included; the server lives.

    Another program of the same home records all the while: it and the server look for what the dead left.
    """
    figures = Figures("a recording process is killed")
    draw = random.Random(seed)
    killed: list[tuple[Program, int]] = []
    with serving(folder) as server:
        watcher = Watcher(server.url, figures)
        bystander = Program(folder, "until_told", server.url, seed, 5000)
        for number in range(size):
            threads = draw.choice((1, 1, 3))
            segment_bytes = str(draw.choice((100_000, 8_000_000)))
            program = Program(
                folder,
                "for_ever",
                server.url,
                seed + number,
                threads,
                draw.choice((0, 500, 5000)),
                AGENTOPS_JOURNAL_SEGMENT_BYTES=segment_bytes,
            )
            if draw.random() < 0.05:
                time.sleep(draw.random() * 0.4)  # While it starts.
            else:
                program.recording()
                time.sleep(draw.random() ** 3)
            program.kill()
            watcher.watch(program)
            figures.process_kills += 1
            killed.append((program, threads))
        watcher.close()
        bystander.end()
        reader = Reader(server.url)
        reader.check(bystander, figures)
        for program, threads in killed:
            reader.check(program, figures, threads)
        reader.close()
    return figures


def servers_killed(folder: Path, seed: int, size: int) -> Figures:
    """SIGKILL the server at random moments, its start included, while three programs record."""
    figures = Figures("the server is killed")
    draw = random.Random(seed)
    with mortal(folder) as server:
        server.ready()
        # Many small requests: at any moment one is being committed.
        programs = [
            Program(folder, "until_told", server.url, seed + number, 2000, AGENTOPS_MAX_WAIT_TIME="20")
            for number in range(3)
        ]
        for program in programs:
            program.recording()
        for _ in range(size):
            if draw.random() < 0.75:
                server.ready()
            time.sleep(draw.random() * 0.8)
            server.kill()
            figures.server_kills += 1
            server.start()
        server.ready()
        for program in programs:
            program.end()
        reader = Reader(server.url)
        for program in programs:
            reader.check(program, figures)
        reader.close()
        server.stop()
    return figures


def both_killed(folder: Path, seed: int, size: int) -> Figures:
    """SIGKILL a recording process and the server at once."""
    figures = Figures("both are killed")
    draw = random.Random(seed)
    killed: list[Program] = []
    with mortal(folder) as server:
        for number in range(size):
            server.ready()
            program = Program(folder, "for_ever", server.url, seed + number, 1, 1000)
            program.recording()
            time.sleep(draw.random() * 0.5)
            for victim in draw.sample((program, server), 2):
                victim.kill()
            figures.process_kills += 1
            figures.server_kills += 1
            killed.append(program)
            server.start()
        server.ready()
        reader = Reader(server.url)
        for program in killed:
            reader.check(program, figures, 1)
        reader.close()
        server.stop()
    return figures


def server_late(folder: Path, seed: int, size: int) -> Figures:
    """No server runs while programs record, end and are killed; then one is started."""
    figures = Figures("the server starts after the run")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ended = [Program(folder, "some", url, seed + number, 300, 0) for number in range(size)]
    for program in ended:
        program.join()
    killed = Program(folder, "for_ever", url, seed, 1, 0)
    killed.recording()
    killed.kill()
    figures.process_kills += 1
    server = Mortal(folder / "home", port)
    try:
        began = time.monotonic()
        server.ready()
        reader = Reader(server.url)
        eventually(lambda: reader.complete(killed.session(), len(killed.numbers("event"))), within_s=60)
        figures.appear_s.append(time.monotonic() - began)
        for program in ended:
            reader.check(program, figures)
        reader.check(killed, figures, 1)
        reader.close()
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
    eventually(lambda: folder_stats(folder / "home" / "journal").segments == 0)
    return figures


def network_faults(folder: Path, seed: int, size: int) -> Figures:
    """Between programs and server stands a proxy that resets, stalls, forgets answers and is busy."""
    figures = Figures("the network fails")
    with serving(folder) as server:
        port = int(server.url.rpartition(":")[2])
        kinds: tuple[Fault | None, ...] = (*FAULTS, None) if size > 1 else ("lost_answer", None)
        for round_number in range(size):
            for fault in kinds:
                faults = FAULTS if fault is None else (fault,)
                proxy = FaultyProxy(port, seed + round_number, faults)
                program = Program(
                    folder, "some", proxy.url, seed + round_number, 250, 2000, AGENTOPS_MAX_WAIT_TIME="50"
                )
                program.join()
                # What is left, the next program of this home ships; now the network is fine.
                proxy.share = 0.0
                reader = Reader(server.url)
                rest = Program(folder, "drain", proxy.url)
                reader.check(program, figures)
                rest.end()
                reader.close()
                proxy.close()
                hit = sum(count for name, count in proxy.suffered.items() if name != "none")
                figures.notes.append(f"{fault or 'all'}: {hit} of {sum(proxy.suffered.values())} connections")
    return figures


def clock_steps(folder: Path, seed: int, size: int) -> Figures:
    """The recording program's clock steps, mostly back, by seconds, hours and days; then it is killed."""
    figures = Figures("the clock steps back")
    with serving(folder) as server:
        for number in range(size):
            program = Program(folder, "clock", server.url, seed + number, 200)
            program.wait_for("clock stepped")
            program.kill()
            figures.process_kills += 1
            reader = Reader(server.url)
            reader.check(program, figures)
            reader.close()
    return figures


def disk_full(folder: Path, seed: int, size: int) -> Figures:
    """The disks of the journal and of the temporary folder are full; memory holds the rest for the server."""
    figures = Figures("the disk is full")
    del seed
    port = free_port()
    journal, temporary = folder / "home" / "journal", folder / "tmp"
    with tmpfs(journal, 512) as small, tmpfs(temporary, 256):
        limit = 0 if small else 200_000
        program = Program(
            folder,
            "full_disk",
            f"http://127.0.0.1:{port}",
            size,
            limit,
            TMPDIR=str(temporary),
            AGENTOPS_EXIT_TIMEOUT="30",
        )
        program.wait_for("full")
        figures.notes.append("two small tmpfs" if small else "RLIMIT_FSIZE, since no tmpfs could be mounted")
        server = Mortal(folder / "home", port)
        try:
            server.ready()
            program.end()
            reader = Reader(server.url)
            reader.check(program, figures)
            reader.close()
            server.stop()
        finally:
            if server.process.poll() is None:
                server.kill()
        counted = Counter(saved_losses(journal))
        for fallback in temporary.glob("agentops-*/journal-*"):
            counted.update(saved_losses(fallback))
        if counted:
            figures.notes.append(f"counted as lost by the program itself: {dict(counted)}")
        left = [path.name for place in (journal, temporary) for path in place.rglob("0*.jsonl")]
        if left:
            figures.uncounted += 1
            figures.notes.append(f"left in the journal: {left}")
    return figures


def forked_children(folder: Path, seed: int, size: int) -> Figures:
    """Forked children record in one session at once; half of them are killed."""
    figures = Figures(f"{size} forked children at once")
    del seed
    with serving(folder) as server:
        program = Program(folder, "forked", server.url, size, 50)
        program.join()
        figures.process_kills += (size + 1) // 2
        ended = time.monotonic()
        reader = Reader(server.url)
        with contextlib.suppress(AssertionError):
            eventually(lambda: reader.complete(program.session(), len(program.numbers("event"))), within_s=60)
        figures.appear_s.append(time.monotonic() - ended)
        reader.check(program, figures)
        reader.close()
    return figures
