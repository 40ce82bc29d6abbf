"""A server elsewhere: TLS, keys, proxies, prefixes, redirects. What it does not take is not lost."""

from __future__ import annotations

import base64
import logging
import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from agentops.journal import folder_stats, refused_keys
from agentops.shipper import Client, ConnectionFailed
from tests.unit.journal.records import crash, files_in, header, journal_in, kept_aside_in, record
from tests.unit.shipper.sink import Answer, Request, closed_port, recorder, sink_server
from tests.waiting import eventually


class Proxy:
    """What a proxy was asked, head by head."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heads: list[str] = []


@contextmanager
def tunnelling_proxy(port: int) -> Generator[Proxy]:
    """An HTTP proxy that tunnels every CONNECT to `port` of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(f"127.0.0.1:{listening.getsockname()[1]}")

        def pump(source: socket.socket, drain: socket.socket) -> None:
            with suppress(OSError):
                while piece := source.recv(65_536):
                    drain.sendall(piece)
                drain.shutdown(socket.SHUT_WR)

        def serve() -> None:
            client, _ = listening.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += client.recv(1)
                proxy.heads.append(head.decode())
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield proxy
        thread.join(10)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def trusted(authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))


@pytest.mark.usefixtures("trusted")
def test_records_go_over_tls_with_the_key_and_below_a_path(tmp_path: Path, authority: trustme.CA) -> None:
    with (
        sink_server(tls=authority) as sink,
        recorder(tmp_path, sink.url + "/agentops", headers={"X-Agentops-Api-Key": "k"}) as (journal, shipper),
    ):
        for number in range(3):
            journal.append(record(number))
            assert shipper.flush(10)
        assert sink.numbers == [0, 1, 2]
        assert {request.path for request in sink.accepted} == {"/agentops/v1/traces"}
        assert {request.headers["x-agentops-api-key"] for request in sink.accepted} == {"k"}
        assert sink.connections == 1


def test_a_certificate_of_an_unknown_authority_holds_everything_until_it_is_known(
    tmp_path: Path,
    authority: trustme.CA,
    authority_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        sink_server(tls=authority) as sink,
        recorder(tmp_path, sink.url) as (journal, shipper),
        caplog.at_level(logging.WARNING, "agentops"),
    ):
        for number in range(3):
            journal.append(record(number))
            assert not shipper.flush(5)
        assert sink.requests == []
        assert len(caplog.records) == 1
        assert "SSL_CERT_FILE" in caplog.text
        monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
        assert shipper.flush(10)
        assert sink.numbers == [0, 1, 2]


def told(tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture) -> str:
    """Return the one warning of a program whose records cannot be shipped to `url`, at once."""
    with recorder(tmp_path, url) as (journal, shipper), caplog.at_level(logging.WARNING, "agentops"):
        journal.append(record(1))
        assert not shipper.flush(5)
    (said,) = (one.getMessage() for one in caplog.records)
    assert folder_stats(tmp_path).backlog_records == 1
    return said


@pytest.mark.usefixtures("trusted")
def test_a_server_that_is_not_trusted_answers_and_the_warning_says_so(
    tmp_path: Path, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    with sink_server(tls=authority) as sink:
        said = told(tmp_path, re.sub("//.*:", "//0.0.0.0:", sink.url), caplog)
    assert said.startswith("The server takes no records (https://0.0.0.0:")
    assert "agentops serve" not in said
    assert "Use an address that the certificate names" in said


def test_a_server_without_tls_answers_and_the_warning_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with sink_server() as sink:
        said = told(tmp_path, sink.url.replace("http:", "https:"), caplog)
    assert said.startswith("The server takes no records (https://127.0.0.1:")
    assert "WRONG_VERSION_NUMBER" in said


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("socks5://me:secret@proxy.invalid:1080", "the proxy socks5://proxy.invalid:1080 is no HTTP proxy"),
        ("http://proxy.invalid:none", "the proxy http://proxy.invalid:none has a port that is none"),
    ],
)
def test_a_proxy_that_is_none_is_named_without_its_password(
    tmp_path: Path, proxy: str, reason: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    said = told(tmp_path, "http://agentops.invalid:8420", caplog)
    assert said.startswith("The server takes no records (http://agentops.invalid:8420: ValueError: ")
    assert reason in said
    assert "secret" not in said


def test_a_server_that_fails_again_and_again_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        sink_server() as sink,
        recorder(tmp_path, sink.url) as (journal, shipper),
        caplog.at_level(logging.WARNING, "agentops"),
    ):
        sink.answers = [Answer(503)] * 2
        journal.append(record(1))
        assert shipper.flush(10)
        assert caplog.records == []
        sink.answers = [Answer(0)] * 6
        journal.append(record(2))
        assert shipper.flush(20)
        (said,) = (one.getMessage() for one in caplog.records)
        assert said.startswith("The server takes no records at present (http://127.0.0.1:")
        assert sink.numbers == [1, 2]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_tls_goes_through_the_proxy_of_the_environment_with_its_password(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, name: str
) -> None:
    with sink_server(tls=authority) as sink, tunnelling_proxy(int(sink.url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv(name, f"http://me:p%40ss@{proxy.url}")
        client = Client()
        assert client.request("POST", "https://agentops.invalid/v1/traces", b"{}").status == 200
        client.close()
        (head,) = proxy.heads
        assert head.startswith("CONNECT agentops.invalid:443 HTTP/1.")
        pair = base64.b64encode(b"me:p@ss").decode()
        assert f"Proxy-Authorization: Basic {pair}\r\n" in head
        assert "proxy-authorization" not in sink.accepted[0].headers


@pytest.mark.parametrize(
    "exceptions", ["example.invalid,0.0.0.0", "0.0.0.0/8", "10.0.0.0/8, 0.0.0.0/16,example.invalid"]
)
def test_a_host_of_no_proxy_is_reached_directly(monkeypatch: pytest.MonkeyPatch, exceptions: str) -> None:
    with sink_server() as sink:
        # An address that leads to this machine and is not one of its loopback addresses.
        url = sink.url.replace("127.0.0.1", "0.0.0.0")
        monkeypatch.setenv("http_proxy", closed_port())
        client = Client()
        with pytest.raises(ConnectionFailed):
            client.request("GET", url, b"")
        monkeypatch.setenv("no_proxy", exceptions)
        client = Client()
        assert client.request("GET", url, b"").status == 200
        client.close()


@pytest.mark.parametrize("exceptions", ["::", "[::]", "::/96"])
def test_a_proxy_is_given_ipv6_addresses_in_brackets(
    monkeypatch: pytest.MonkeyPatch, exceptions: str
) -> None:
    with sink_server() as sink:
        monkeypatch.setenv("http_proxy", sink.url)
        client = Client()
        assert client.request("GET", "http://[::]:9/x", b"").status == 200
        client.close()
        assert sink.accepted[0].path == "http://[::]:9/x"
        assert sink.accepted[0].headers["host"] == "[::]:9"
        monkeypatch.setenv("no_proxy", exceptions)
        with pytest.raises(ConnectionFailed):
            Client().request("GET", "http://[::]:9/x", b"", timeout_s=0.2)
        assert len(sink.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_says_where_to(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        sink_server() as sink,
        sink_server() as elsewhere,
        recorder(tmp_path, sink.url) as (journal, shipper),
    ):
        sink.otherwise = lambda request: Answer(status, headers={"Location": elsewhere.url + "/v1/traces"})
        with caplog.at_level(logging.WARNING, "agentops"):
            journal.append(record(1))
            assert not shipper.flush(2)
        assert elsewhere.requests == []
        assert len(caplog.records) == 1
        assert f"redirects to {elsewhere.url}/v1/traces" in caplog.text
        assert folder_stats(tmp_path).backlog_records == 1


def test_a_batch_that_is_too_large_for_the_server_is_split(tmp_path: Path) -> None:
    def small_only(request: Request) -> Answer:
        return Answer(413, close=True) if len(request.body) > 3_000 else Answer()

    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.otherwise = small_only
        for number in range(50):
            journal.append(record(number, padding=500))
        assert shipper.flush(20)
        assert sorted(sink.numbers) == list(range(50))
        assert kept_aside_in(tmp_path) == []
        assert journal.stats().lost == {}


def test_a_huge_answer_is_an_answer(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url) as (journal, shipper):
        sink.answers = [Answer(200, b"x" * (17 << 20))]
        for number in range(3):
            journal.append(record(number))
            assert shipper.flush(10)
        assert sink.numbers == [0, 1, 2], "sent again, though it was taken"


def test_a_program_that_changes_its_key_is_served_at_once(tmp_path: Path) -> None:
    key = {"X-Agentops-Api-Key": "wrong"}
    with (
        sink_server() as sink,
        recorder(tmp_path, sink.url, headers=key, segment_bytes=1_000) as (journal, shipper),
    ):
        sink.otherwise = lambda request: Answer(
            200 if request.headers["x-agentops-api-key"] == "right" else 401
        )
        for number in range(50):
            journal.append(record(number, padding=100))
        assert not shipper.flush(2)
        asked = len(sink.requests)
        key["X-Agentops-Api-Key"] = "right"
        # Not after the half minute that a wrong key is left alone for.
        eventually(lambda: sorted(sink.numbers) == list(range(50)))
        assert asked < 5


def test_a_day_with_a_wrong_key_is_shipped_by_the_next_process_with_a_right_one(tmp_path: Path) -> None:
    with sink_server() as sink:
        sink.otherwise = lambda request: Answer(
            200 if request.headers["x-agentops-api-key"] == "right" else 403
        )
        wrong = {"X-Agentops-Api-Key": "wrong"}
        with recorder(tmp_path, sink.url, headers=wrong, owner="of wrong") as (journal, shipper):
            for number in range(20):
                journal.append(record(number))
            assert not shipper.flush(2)
        assert refused_keys(tmp_path) == {(sink.url, "of wrong")}
        right = {"X-Agentops-Api-Key": "right"}
        with recorder(tmp_path, sink.url, headers=right, owner="of right") as (journal, shipper):
            journal.append(record(100))
            eventually(lambda: sorted(sink.numbers) == [*range(20), 100])
        assert files_in(tmp_path) == []
        assert refused_keys(tmp_path) == {(sink.url, "of wrong")}


def test_another_projects_key_that_the_server_takes_keeps_its_records(tmp_path: Path) -> None:
    with sink_server() as sink:
        other = journal_in(tmp_path)
        other._header = lambda: header(sink.url, owner="another project")  # pyright: ignore[reportPrivateUsage] -- one journal, another key
        other.append(record(1))
        crash(other)
        elsewhere = journal_in(tmp_path)
        elsewhere._header = lambda: header(closed_port(), owner="of wrong")  # pyright: ignore[reportPrivateUsage] -- as above
        elsewhere.append(record(2))
        crash(elsewhere)
        with recorder(tmp_path, sink.url, owner="mine") as (journal, shipper):
            shipper._shipment.next_scan = 0  # pyright: ignore[reportPrivateUsage] -- look for orphans now, not in a second
            journal.append(record(3))
            assert shipper.flush(5)
        assert sink.numbers == [3]
        assert folder_stats(tmp_path).backlog_records == 2


def test_a_key_that_becomes_valid_is_no_longer_anybodys(tmp_path: Path) -> None:
    with sink_server() as sink, recorder(tmp_path, sink.url, owner="late") as (journal, shipper):
        sink.otherwise = lambda request: Answer(401)
        journal.append(record(1))
        assert not shipper.flush(2)
        assert refused_keys(tmp_path) == {(sink.url, "late")}
        sink.otherwise = lambda request: Answer()
        assert shipper.flush(5)
        assert refused_keys(tmp_path) == frozenset()
