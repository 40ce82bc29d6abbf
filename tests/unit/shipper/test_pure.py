"""The pure middle: outcomes, backoff, bodies."""

from __future__ import annotations

import pytest

from agentops.shipper import Outcome, outcome_of
from agentops.shipper.backoff import LONGEST_S, Backoff
from agentops.shipper.batch import is_whole, only_signal
from agentops.shipper.outcome import retry_after_s


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "accepted"),
        (202, "accepted"),
        (400, "refused"),
        (413, "refused"),
        (415, "refused"),
        (422, "refused"),
        (401, "held"),
        (403, "held"),
        (404, "held"),
        (405, "held"),
        (301, "held"),
        (408, "later"),
        (429, "later"),
        (500, "later"),
        (502, "later"),
        (503, "later"),
    ],
)
def test_every_status_has_its_meaning(status: int, verdict: str) -> None:
    assert outcome_of(status, {}, b"").verdict == verdict


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", 0),
        (b"{}", 0),
        (b'{"partialSuccess":{}}', 0),
        (b'{"partialSuccess":{"rejectedSpans":3}}', 3),
        (b'{"partialSuccess":{"rejectedLogRecords":"4","errorMessage":"x"}}', 4),
        (b'{"partialSuccess":{"rejectedSpans":"many"}}', 0),
        (b"\xff not json", 0),
        (b"[]", 0),
        (b'{"deep":' + b"[" * 100_000, 0),
    ],
)
def test_partial_success_is_read_from_any_body(body: bytes, refused: int) -> None:
    outcome = outcome_of(200, {}, body)
    assert (outcome.verdict, outcome.refused_records) == ("accepted", refused)


def test_a_web_page_is_no_acknowledgement() -> None:
    """Networks of hotels answer any request with their sign-in page, as if all were well."""
    assert outcome_of(200, {"content-type": "text/html; charset=utf-8"}, b"<html>").verdict == "held"
    assert outcome_of(200, {"content-type": "text/plain"}, b"ok").verdict == "accepted"


def test_a_refusal_says_what_the_server_said() -> None:
    assert outcome_of(400, {}, b'{"error":"x"}') == Outcome("refused", 'HTTP 400: {"error":"x"}')
    ours = b'{"error":{"code":"unauthorised","message":"No such key.","hint":"Send one."}}'
    refused = outcome_of(401, {}, ours)
    assert (refused.reason, refused.key_refused) == ("HTTP 401: No such key.", True)
    host = b'{"error":{"code":"forbidden_origin","message":"For this machine only.","hint":""}}'
    assert outcome_of(403, {}, host) == Outcome("held", "HTTP 403: For this machine only.")
    deep = b'{"deep":' + b"[" * 100_000
    assert outcome_of(400, {}, deep).reason.startswith('HTTP 400: {"deep":[[')
    assert outcome_of(503, {"retry-after": "7"}, b"").retry_after_s == 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-3", 0.0),
        ("1e9", 300.0),
        ("nan", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, now_s=60.0) == seconds


def test_backoff_grows_to_its_limit_and_begins_anew() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    delays = [backoff.failed(None) for _ in range(12)]
    assert delays[:4] == [0.25, 0.5, 1.0, 2.0]
    assert delays[-1] == LONGEST_S
    assert backoff.failed(77.0) == 77.0
    backoff.succeeded()
    assert backoff.failed(None) == 0.25


def test_backoff_spreads_processes_apart() -> None:
    assert Backoff(jitter=lambda: 0.0).failed(None) == 0.125
    assert [Backoff(jitter=lambda now=now: now).spread(8.0) for now in (0.0, 0.5, 1.0)] == [8.0, 9.0, 10.0]


def test_the_signal_of_many_lines_is_known_without_reading_them() -> None:
    span, log = b'{"spans":[1]}\n', b'{"logRecords":[1]}\n'
    assert only_signal(span * 3) == "traces"
    assert only_signal(log * 3) == "logs"
    assert only_signal(span + log) is None
    assert only_signal(log + span) is None
    assert only_signal(b"{}\n") is None


def test_a_line_is_whole_or_not() -> None:
    assert is_whole(b'{"spans":[]}')
    assert not any(
        is_whole(line) for line in (b"", b'{"spans":[', b'{"a":1}}', b"[]", b'{"a":1},{"b":2}', b"\0")
    )
