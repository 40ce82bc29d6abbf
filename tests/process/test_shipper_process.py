"""Recording processes against a real server: forks, kills, ends; every number arrives, none is invented."""

from __future__ import annotations

import ast
import random
import signal
import time
from pathlib import Path

import pytest

from agentops.shipper import Client, Outcome, Signal, drain_orphans, outcome_of
from tests.process.children import start
from tests.process.test_black_hole import dripping
from tests.process.test_journal_process import KILLS, numbers_said
from tests.unit.journal.records import files_in
from tests.unit.shipper.sink import Answer, Request, Sink, sink_server


def ship_what_is_left(folder: Path, sink: Sink) -> None:
    """Do what the local server does every few seconds."""
    client = Client()

    def send(signal_name: Signal, body: bytes) -> Outcome:
        answer = client.request("POST", f"{sink.url}/v1/{signal_name}", body)
        return outcome_of(answer.status, answer.headers, answer.body)

    while files_in(folder):
        result = drain_orphans(folder, send, lambda header: header.endpoint == sink.url)
        assert result.lost.keys() <= {"torn"}
    client.close()


@pytest.mark.timeout(600)
def test_what_a_killed_process_recorded_arrives_whatever_the_server_did(tmp_path: Path) -> None:
    chance = random.Random(7)
    first = 0
    with sink_server() as sink:

        def moody(request: Request) -> Answer:
            return chance.choice([Answer(), Answer(), Answer(503), Answer(0), Answer(200, delay_s=0.05)])

        sink.otherwise = moody
        said: list[int] = []
        for _ in range(KILLS):
            with start("ship_for_ever", tmp_path, sink.url, first) as child:
                assert child.stdout is not None
                line = child.stdout.readline()
                time.sleep(chance.random() * 0.4)  # The moment is what is tested.
                child.send_signal(signal.SIGKILL)
                said += numbers_said(line + child.stdout.read())
            first = said[-1] + 10
        sink.otherwise = lambda request: Answer()
        ship_what_is_left(tmp_path, sink)
        arrived = set(sink.numbers)
        assert set(said) <= arrived
        assert len(arrived - set(said)) <= KILLS, "more than the records that were being written"
        assert len(sink.requests) > KILLS // 3, "what is tested is shipping that is cut off"


def test_forked_children_ship_their_own_records(tmp_path: Path) -> None:
    with sink_server() as sink:
        with start("forks", tmp_path, sink.url, 20) as parent:
            out, err = parent.communicate(timeout=100)
        assert err == b""
        statuses, done = ast.literal_eval(out.decode())
        assert statuses == [0] * 20
        assert done
        expected = {*range(100), *range(101, 121)}
        for child in range(1, 21):
            expected |= set(range(1000 * child, 1000 * child + 200))
        assert sorted(sink.numbers) == sorted(expected), "each number exactly once"
        assert files_in(tmp_path) == []


def test_a_fork_while_the_shipper_starts_hangs_nobody(tmp_path: Path) -> None:
    with sink_server() as sink:
        for attempt in range(5):
            with start("fork_while_starting", tmp_path / str(attempt), sink.url) as parent:
                out, err = parent.communicate(timeout=60)
            assert err == b""
            assert ast.literal_eval(out.decode()) == (0, True)
        assert sorted(sink.numbers) == [0] * 5 + [1] * 5


def test_a_fork_while_an_answer_is_read_hangs_nobody(tmp_path: Path) -> None:
    """What an answer is read into holds a lock that nobody frees in the child."""
    with dripping() as url, start("fork_while_reading", tmp_path, url) as parent:
        out, err = parent.communicate(timeout=60)
    assert err == b""
    assert numbers_said(out) == list(range(1, 21))


def test_records_made_while_the_interpreter_ends_are_shipped(tmp_path: Path) -> None:
    with sink_server() as sink:
        with start("end_at_exit", tmp_path, sink.url) as child:
            out, err = child.communicate(timeout=60)
        assert (out, err) == (b"True", b"")
        assert sink.numbers == [1]
        assert files_in(tmp_path) == []
