"""From `append` to a server over real HTTP: when it goes, in what form, and what comes of it."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agentops.journal import fallback_folder, folder_stats
from tests.unit.journal.records import (
    crash,
    files_in,
    header,
    journal_in,
    kept_aside_in,
    log_record,
    record,
)
from tests.unit.shipper.sink import Answer, Request, black_hole, closed_port, recorder, sink_server
from tests.waiting import eventually


def test_the_first_records_go_out_at_once(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url, max_delay_ms=60_000) as (journal, _):
        begun = time.monotonic()
        journal.append(record(0))
        eventually(lambda: sink.numbers == [0])
        assert sink.requests[-1].at - begun < 2, "it waited for company"


def test_a_record_after_a_quiet_time_goes_out_at_once(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url, max_delay_ms=2000) as (journal, shipper):
        journal.append(record(0))
        assert shipper.flush(5)
        time.sleep(0.6)  # The quiet time is what is tested.
        begun = time.monotonic()
        journal.append(record(1))
        eventually(lambda: sink.numbers == [0, 1])
        assert sink.requests[-1].at - begun < 0.45


def test_a_stream_of_records_is_gathered_into_few_requests(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        for number in range(2000):
            journal.append(record(number))
        assert shipper.flush(10)
        assert sink.numbers == list(range(2000))
        assert len(sink.requests) < 20


def test_many_records_do_not_wait_for_the_time(tmp_path: Path) -> None:
    with (
        sink_server() as sink,
        recorder(tmp_path, sink.url, max_delay_ms=60_000, max_records=50) as (journal, shipper),
    ):
        journal.append(record(0))
        assert shipper.flush(5)
        for number in range(1, 60):
            journal.append(record(number))
        eventually(lambda: len(sink.numbers) >= 51, within_s=5)


def test_requests_are_otlp_json_with_the_headers_of_the_target(tmp_path: Path) -> None:
    with (
        sink_server() as sink,
        recorder(tmp_path, sink.url, headers={"Authorization": "Bearer k"}) as (journal, shipper),
    ):
        before = time.time_ns()
        journal.append(record(1))
        journal.append(log_record(2))
        assert shipper.flush(5)
        traces, logs = sink.accepted
        assert (traces.path, logs.path) == ("/v1/traces", "/v1/logs")
        assert traces.body == (
            b'{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[' + record(1) + b"]}]}"
        )
        assert logs.body == (
            b'{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[' + log_record(2) + b"]}]}"
        )
        assert traces.headers["content-type"] == "application/json"
        assert traces.headers["content-encoding"] == "gzip"
        assert traces.headers["authorization"] == "Bearer k"
        assert before <= int(traces.headers["x-agentops-sent-at"]) <= time.time_ns()


def test_every_body_is_compressed_however_large(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        for number in range(200):
            journal.append(record(number, 4_000))
        assert shipper.flush(10)
        assert max(len(request.body) for request in sink.accepted) > 65_536
        assert {request.headers["content-encoding"] for request in sink.accepted} == {"gzip"}


def test_requests_share_a_connection(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        for number in range(10):
            journal.append(record(number))
            assert shipper.flush(5)
        assert (len(sink.requests), sink.connections) == (10, 1)


def test_a_connection_closed_between_requests_is_replaced(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.otherwise = lambda request: Answer(close=True)
        for number in range(5):
            journal.append(record(number))
            assert shipper.flush(5)
        assert sink.numbers == list(range(5))
        assert shipper.stats().failures == 0


def test_when_all_is_acknowledged_the_folder_is_empty(tmp_path: Path) -> None:
    with sink_server() as sink:
        with recorder(tmp_path, sink.url, segment_bytes=2_000) as (journal, shipper):
            for number in range(300):
                journal.append(record(number))
            assert shipper.close(10)
        assert sorted(sink.numbers) == list(range(300))
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(429),
        Answer(500),
        Answer(0),
        Answer(200, reset=True),
        Answer(200, half=True),
        Answer(408, close=True),
    ],
    ids=["503", "429", "500", "hang up", "reset", "half an answer", "408"],
)
def test_a_passing_failure_loses_nothing(tmp_path: Path, answer: Answer) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.answers = [answer, answer]
        for number in range(5):
            journal.append(record(number))
        eventually(lambda: set(sink.numbers) == set(range(5)) and shipper.flush(1))
        assert shipper.stats().failures == 2
        assert journal.stats().lost == {}


def test_a_failed_request_is_repeated_soon_by_itself(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        shipper._shipment.next_scan = time.monotonic() + 3600  # pyright: ignore[reportPrivateUsage] -- that would wake it too
        sink.answers = [Answer(503), Answer(0)]
        journal.append(record(0))
        eventually(lambda: sink.numbers == [0], within_s=3)
        assert len(sink.requests) == 3


def test_retry_after_is_honoured_also_while_somebody_waits(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.answers = [Answer(503, headers={"Retry-After": "1"})]
        journal.append(record(0))
        assert shipper.flush(5)
        first, second = sink.requests
        assert second.at - first.at >= 1.0


def test_a_flush_shorter_than_retry_after_does_not_wait(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.otherwise = lambda request: Answer(503, headers={"Retry-After": "60"})
        journal.append(record(0))
        begun = time.monotonic()
        assert not shipper.flush(5)
        assert time.monotonic() - begun < 3
        assert len(sink.requests) == 1


def test_what_is_refused_for_good_is_kept_aside_and_the_rest_arrives(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def picky(request: Request) -> Answer:
        return Answer(400, b'{"error":"no"}') if b'"name":"7"' in request.body else Answer()

    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.otherwise = picky
        with caplog.at_level(logging.WARNING, "agentops"):
            for number in range(20):
                journal.append(record(number))
            assert shipper.flush(5)
        assert sorted(sink.numbers) == [number for number in range(20) if number != 7]
        assert journal.stats().lost == {"refused": 1}
        (aside,) = kept_aside_in(tmp_path)
        assert aside["record"].encode() == record(7)
        assert 'HTTP 400: {"error":"no"}' in caplog.text


def test_partial_success_is_counted(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.answers = [Answer(body=b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"bad ids"}}')]
        journal.append(record(1))
        assert shipper.flush(5)
        assert journal.stats().lost == {"partly_refused": 2}


def test_a_wrong_key_holds_the_records_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.otherwise = lambda request: Answer(401)
        with caplog.at_level(logging.WARNING, "agentops"):
            for number in range(5):
                journal.append(record(number))
                assert not shipper.flush(1)
        assert len(caplog.records) == 1
        assert "HTTP 401" in caplog.text
        assert folder_stats(tmp_path).backlog_records == 5
        sink.otherwise = lambda request: Answer()
        assert shipper.flush(5)
        assert sink.numbers == [0, 1, 2, 3, 4]


def test_without_a_server_a_flush_returns_early_and_everything_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with recorder(tmp_path, closed_port()) as (journal, shipper):
        for number in range(3):
            journal.append(record(number))
            begun = time.monotonic()
            assert not shipper.flush(5)
            assert time.monotonic() - begun < 3
        assert folder_stats(tmp_path).backlog_records == 3
        assert len(caplog.records) == 1
        assert "`agentops serve`" in caplog.text


def test_it_says_where_records_wait_when_that_is_not_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / "file" / "journal"
    with recorder(folder, closed_port()) as (journal, shipper):
        journal.append(record(0))
        assert not shipper.flush(5)
    assert f"wait in {fallback_folder(folder)} " in caplog.text


def test_a_server_that_starts_later_gets_everything(tmp_path: Path) -> None:
    with sink_server() as sink:
        url = sink.url
    with recorder(tmp_path, url) as (journal, shipper):
        journal.append(record(0))
        assert not shipper.flush(1)
        with sink_server(int(url.rpartition(":")[2])) as later:
            eventually(lambda: later.numbers == [0], within_s=15)
            assert shipper.flush(5)


def test_a_black_hole_delays_the_exit_by_at_most_the_timeout(tmp_path: Path) -> None:
    with black_hole() as url, recorder(tmp_path, url) as (journal, shipper):
        journal.append(record(0))
        begun = time.monotonic()
        assert not shipper.close(0.5)
        assert 0.4 < time.monotonic() - begun < 2
        journal.close()
        assert folder_stats(tmp_path).backlog_records == 1


def test_a_slow_server_does_not_slow_the_program(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, _):
        sink.otherwise = lambda request: Answer(delay_s=20.0)
        begun = time.monotonic()
        for number in range(1000):
            journal.append(record(number))
        assert time.monotonic() - begun < 5
        sink.released.set()


def test_a_backlog_does_not_keep_the_present_waiting(tmp_path: Path) -> None:
    with sink_server() as sink:
        old = journal_in(tmp_path)
        old._header = lambda: header(sink.url)  # pyright: ignore[reportPrivateUsage] -- one journal, another endpoint
        for number in range(1000):
            old.append(record(number, padding=50_000))
        crash(old)
        with recorder(tmp_path, sink.url) as (journal, _):
            journal.append(record(5000))
            eventually(lambda: len(sink.numbers) > 100)
            journal.append(record(5001))
            eventually(lambda: 5001 in sink.numbers)
            assert len(sink.numbers) < 1000
            eventually(lambda: sorted(sink.numbers) == [*range(1000), 5000, 5001], within_s=20)
            eventually(lambda: len(files_in(tmp_path)) == 1)


def test_segments_of_another_server_or_project_stay(tmp_path: Path) -> None:
    with sink_server() as sink:
        journal_for_other = journal_in(tmp_path)
        journal_for_other.append(record(1))
        crash(journal_for_other)
        mine = journal_in(tmp_path)
        mine._header = lambda: header(sink.url, owner="another key")  # pyright: ignore[reportPrivateUsage] -- as above
        mine.append(record(2))
        crash(mine)
        with recorder(tmp_path, sink.url) as (journal, shipper):
            shipper._shipment.next_scan = 0  # pyright: ignore[reportPrivateUsage] -- look for orphans now, not in a second
            journal.append(record(3))
            assert shipper.flush(5)
        assert sink.numbers == [3]
        assert folder_stats(tmp_path).backlog_records == 2


def test_records_in_memory_are_shipped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / f"agentops-{os.geteuid()}").write_text("in the way")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with sink_server() as sink, recorder(tmp_path / "file" / "journal", sink.url) as (journal, shipper):
        journal.append(record(1))
        journal.append(log_record(2))
        assert journal.stats().place == "memory"
        assert shipper.flush(5)
        assert sink.numbers == [1, 2]
        assert journal.stats().memory_records == 0


def test_the_tick_is_called_as_often_as_it_wishes(tmp_path: Path) -> None:
    called: list[float] = []

    def tick() -> float | None:
        called.append(time.monotonic())
        if len(called) == 1:
            raise RuntimeError("a tick may fail")
        return 0.05

    with sink_server() as sink, recorder(tmp_path, sink.url, tick=tick) as (journal, shipper):
        journal.append(record(0))
        assert shipper.flush(5)
        journal.append(record(1))
        eventually(lambda: len(called) > 5, within_s=5)


def test_many_threads_may_flush_at_once(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        done: list[bool] = []

        def work(number: int) -> None:
            journal.append(record(number))
            done.append(shipper.flush(10))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == [True] * 16
        assert sorted(sink.numbers) == list(range(16))


def test_an_idle_shipper_takes_no_time(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url, tick=lambda: None) as (journal, shipper):
        journal.append(record(0))
        assert shipper.flush(5)
        before = time.process_time()
        time.sleep(1.3)  # Long enough for the first look for orphans.
        assert time.process_time() - before < 0.2


def test_nothing_runs_before_the_first_record(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (_, shipper):
        assert shipper.flush(5)
        assert not [thread for thread in threading.enumerate() if thread.name == "agentops-shipper"]
        assert sink.connections == 0


def test_a_program_whose_threads_become_cooperative_later_is_not_stopped_by_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As gevent does in a prefork worker: with the interpreter's own queue no other greenlet would ever run.
    waits: list[bool] = []

    plain: Any = vars(queue)["_PySimpleQueue"]

    class Cooperative(plain):
        def get(self, *args: Any, **kwargs: Any) -> Any:
            waits.append(True)
            return plain.get(self, *args, **kwargs)

    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        monkeypatch.setattr(queue, "SimpleQueue", Cooperative)
        journal.append(record(0))
        assert shipper.flush(5)
        eventually(lambda: waits)
