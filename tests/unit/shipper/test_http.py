"""The HTTP client: answers whatever the status, one kind of failure, a deadline for the whole."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from agentops.shipper import Client, ConnectionFailed
from tests.unit.shipper.sink import Answer, black_hole, closed_port, sink_server


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.close()


@contextmanager
def raw_server(*pieces: bytes, pause_s: float = 0.0) -> Generator[str]:
    """A server that reads a request's head and sends these bytes, whatever they are."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                for piece in pieces:
                    try:
                        connection.sendall(piece)
                    except OSError:
                        return
                    time.sleep(pause_s)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_an_answer_is_returned_whatever_its_status(client: Client) -> None:
    with sink_server() as sink:
        sink.answers = [Answer(200, b"fine", {"X-Name": "a"}), Answer(404, b"none"), Answer(503)]
        first = client.request("GET", sink.url + "/a?b=c", b"", {"X-Key": "k"})
        assert (first.status, first.body, first.headers["x-name"]) == (200, b"fine", "a")
        assert sink.accepted[0].path == "/a?b=c"
        assert sink.accepted[0].headers["x-key"] == "k"
        assert [client.request("GET", sink.url, b"").status for _ in range(2)] == [404, 503]
        assert sink.connections == 1


def test_chunked_answers_are_read(client: Client) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with raw_server(answer) as url:
        assert client.request("GET", url).body == b"abcde"


def test_an_answer_that_ends_with_the_connection_is_read(client: Client) -> None:
    with raw_server(b"HTTP/1.0 200 OK\r\n\r\nab", b"cd") as url:
        assert client.request("GET", url).body == b"abcd"


def test_an_early_refusal_of_a_large_body_is_read(client: Client) -> None:
    with raw_server(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig") as url:
        assert client.request("POST", url, b"x" * 60_000).status == 413


@pytest.mark.parametrize(
    "pieces",
    [(), (b"SSH-2.0-hello\r\n",), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",), (b"\xff\x00" * 50,)],
    ids=["nothing", "another protocol", "half a body", "noise"],
)
def test_an_answer_that_is_none_is_a_failed_connection(pieces: tuple[bytes, ...], client: Client) -> None:
    with raw_server(*pieces) as url, pytest.raises(ConnectionFailed) as failed:
        client.request("GET", url, timeout_s=5)
    assert not failed.value.unreachable


def test_where_nothing_listens_is_said_to_be_unreachable(client: Client) -> None:
    url = closed_port()
    with pytest.raises(ConnectionFailed) as failed:
        client.request("GET", url.replace("//", "//name:secret@") + "/v1/traces?key=secret")
    assert failed.value.unreachable
    assert str(failed.value).startswith(f"{url}: ConnectionRefusedError")  # With its port, without secrets.


@pytest.mark.parametrize(
    "url", ["", "no address", "ftp://host/", "http://", "http://a b/", "http://host:port/"]
)
def test_an_address_that_is_none_is_a_failed_connection(url: str, client: Client) -> None:
    with pytest.raises(ConnectionFailed):
        client.request("GET", url)


def test_a_black_hole_takes_the_time_allowed_and_no_more(client: Client) -> None:
    with black_hole() as url:
        begun = time.monotonic()
        with pytest.raises(ConnectionFailed) as failed:
            client.request("GET", url, timeout_s=0.3)
        assert failed.value.timed_out
        assert time.monotonic() - begun < 2


def test_an_answer_that_drips_does_not_stretch_the_time_allowed(client: Client) -> None:
    drips = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"] + [b"x"] * 20
    with raw_server(*drips, pause_s=0.2) as url:
        begun = time.monotonic()
        with pytest.raises(ConnectionFailed) as failed:
            client.request("GET", url, timeout_s=0.5)
        assert failed.value.timed_out
        assert time.monotonic() - begun < 2.5


def test_nothing_is_imported_but_under_the_lock_that_forks_wait_for() -> None:
    """A child forked while another thread of its parent imports a module can never import that module."""
    program = """if True:
        import sys
        import agentops.shipper.connection
        from agentops.shipper import Client
        before = set(sys.modules)
        client = Client()
        client.request("POST", sys.argv[1], b"{}")
        client.close()
        print(sorted(set(sys.modules) - before))
    """
    with sink_server() as sink:
        done = subprocess.run(
            [sys.executable, "-c", program, sink.url], capture_output=True, text=True, check=True
        )
    assert done.stdout == "[]\n"


def test_a_forked_child_leaves_its_parents_connection_quietly() -> None:
    program = """if True:
        import os, sys
        from agentops.shipper import Client
        client = Client()
        for _ in "ab":
            client.request("POST", sys.argv[1], b"{}")
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
        client.close()
    """
    with sink_server() as sink:
        strict = [sys.executable, "-W", "error", "-c", program, sink.url]
        done = subprocess.run(strict, capture_output=True, text=True, check=True)
        assert (sink.connections, done.stderr) == (1, "")


def test_threads_may_share_a_client(client: Client) -> None:
    with sink_server() as sink:
        statuses: list[int] = []

        def ask() -> None:
            statuses.extend(client.request("GET", sink.url, b"").status for _ in range(20))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 160


def test_this_machine_is_not_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setenv("http_proxy", closed_port())
    with sink_server() as sink:
        assert client.request("GET", sink.url, b"").status == 200


def test_another_machine_is_reached_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    with sink_server() as sink:
        monkeypatch.setenv("http_proxy", sink.url)
        assert client.request("GET", "http://agentops.invalid/x", b"").status == 200
        assert sink.accepted[0].path == "http://agentops.invalid:80/x"
