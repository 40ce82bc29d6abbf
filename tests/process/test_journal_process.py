"""Processes that die, fork, and share a journal: what returned is read back, exactly once."""

from __future__ import annotations

import ast
import os
import random
import signal
import time
from pathlib import Path

import pytest

from agentops.journal import folder_stats, orphans
from tests.process.children import start
from tests.unit.journal.records import Inbox, drained, files_in, journal_in, record
from tests.waiting import eventually

KILLS = int(os.environ.get("AGENTOPS_TEST_KILLS", "12"))
"""How many random moments to kill at; `AGENTOPS_TEST_KILLS=200` for the long run."""


def numbers_said(output: bytes) -> list[int]:
    return [int(line) for line in output.split(b"\n")[:-1]]


@pytest.mark.timeout(600)
def test_every_append_that_returned_survives_sigkill(tmp_path: Path) -> None:
    chance = random.Random(20261120)
    said_in_all = 0
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        with start("append_for_ever", folder) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(chance.random() * 0.1)  # The moment is what is tested.
            child.send_signal(signal.SIGKILL)
            said = numbers_said(first + child.stdout.read())
        said_in_all += len(said)
        numbers, result = drained(folder)
        # The one that was being written when it died may be there, whole, or torn.
        assert numbers[: len(said)] == said
        assert len(numbers) <= len(said) + 1
        assert result.lost in ({}, {"torn": 1})
        assert files_in(folder) == []
    assert said_in_all > KILLS


@pytest.mark.parametrize("room", [5_000, 20_011, 20_012, 20_013, 30_000])
def test_a_full_disk_never_raises_keeps_lines_whole_and_counts_what_it_cost(
    tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "journal"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with start("full_disk", folder, room, TMPDIR=str(tmp_path)) as child:
        out, err = child.communicate()
    assert child.returncode == 0
    assert numbers_said(out) == list(range(260))
    lost = ast.literal_eval(err.decode().splitlines()[-1])
    numbers, result = drained(folder)
    assert result.lost == {}
    assert sorted(numbers) == sorted(set(numbers))
    assert len(numbers) == 260 - sum(lost.values())
    assert set(range(200, 260)) <= set(numbers), "room returned, records did not"


def test_two_shippers_never_both_own_a_segment(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = journal_in(folder, segment_bytes=4_000)
    for number in range(1500):
        journal.append(record(number, padding=50))
    journal.close()
    shippers = [start("drain", folder, 3) for _ in range(3)]
    sent: list[int] = []
    for shipper in shippers:
        out, err = shipper.communicate(timeout=60)
        assert err == b""
        assert numbers_said(out), "one of them had nothing to do: the test tests nothing"
        sent += numbers_said(out)
    assert sorted(sent) == list(range(1500))


def test_a_forked_child_does_not_keep_its_dead_parents_segment(tmp_path: Path) -> None:
    with start("record_in_a_fork_and_outlive", tmp_path) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait()
    try:
        (path,) = orphans(tmp_path)
        assert record(0) in path.read_bytes()
        assert drained(tmp_path)[0] == [0]
        assert folder_stats(tmp_path).backlog_records == 1
    finally:
        os.kill(child, signal.SIGKILL)
    inbox = Inbox()

    def all_is_drained() -> bool:
        drained(tmp_path, inbox)
        return inbox.numbers == [1]

    eventually(all_is_drained)
