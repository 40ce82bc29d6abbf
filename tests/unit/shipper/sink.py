"""A real HTTP server on loopback that keeps what it is sent and misbehaves on demand."""

from __future__ import annotations

import gzip
import http.server
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from agentops.journal import Header, Journal
from agentops.shipper import Shipper, Target
from tests.unit.journal.records import RESOURCE, numbers_in


@dataclass
class Request:
    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def numbers(self) -> list[int]:
        return numbers_in(self.body)


@dataclass
class Answer:
    """How one request is answered; `status` 0 closes the connection without a word."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay_s: float = 0.0
    reset: bool = False
    half: bool = False
    close: bool = False


class Sink:
    """What the server has seen, and how it is to answer: `answers` one by one, then `otherwise`."""

    def __init__(self) -> None:
        self.accepted: list[Request] = []
        self.refused: list[Request] = []
        self.answers: list[Answer] = []
        self.otherwise: Callable[[Request], Answer] = lambda request: Answer()
        self.connections = 0
        self.url = ""
        self.released = threading.Event()

    @property
    def numbers(self) -> list[int]:
        return [number for request in self.accepted for number in request.numbers]

    @property
    def requests(self) -> list[Request]:
        return sorted([*self.accepted, *self.refused], key=lambda request: request.at)


@contextmanager
def sink_server(port: int = 0, *, tls: trustme.CA | None = None) -> Generator[Sink]:
    """A sink on a free port; with `tls` its certificate is signed by that authority alone."""
    sink = Sink()

    class Talk(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            sink.connections += 1
            super().setup()

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True  # The sender died in the middle.
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(time.monotonic(), self.path, headers, body)
            answer = sink.answers.pop(0) if sink.answers else sink.otherwise(request)
            (sink.accepted if answer.status == 200 else sink.refused).append(request)
            if answer.delay_s:
                sink.released.wait(answer.delay_s)
            if answer.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if answer.reset or answer.status == 0:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            promised = len(answer.body) + (10 if answer.half else 0)
            for name, value in {"Content-Length": str(promised), **answer.headers}.items():
                self.send_header(name, value)
            if answer.close or answer.half:
                self.close_connection = True
                if answer.close:
                    self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST

        def log_message(self, *args: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] -- wider
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # The clients of these tests hang up in many ways.

    server = Server(("127.0.0.1", port), Talk)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.issue_cert("127.0.0.1", "localhost", "agentops.invalid").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    sink.url = f"http{'s' if tls is not None else ''}://127.0.0.1:{server.server_port}"
    try:
        yield sink
    finally:
        sink.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def black_hole() -> Generator[str]:
    """An address where connections are accepted by the system, and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def closed_port() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def recorder(
    folder: Path,
    url: str,
    *,
    max_delay_ms: int = 1000,
    max_records: int = 512,
    segment_bytes: int = 1 << 20,
    tick: Callable[[], float | None] | None = None,
    headers: dict[str, str] | None = None,
    owner: str = "",
) -> Generator[tuple[Journal, Shipper]]:
    """A journal and its shipper, as the SDK makes them."""
    header = Header(RESOURCE, url, owner)
    journal = Journal(folder, lambda: header, segment_bytes=segment_bytes, max_bytes=1 << 30)
    given = headers if headers is not None else {}
    # The mapping is the caller's: a test may change what is in it, as a program may its key.
    shipper = Shipper(
        journal,
        lambda: Target(url + "/v1/traces", url + "/v1/logs", dict(given)),
        max_delay_ms=max_delay_ms,
        max_records=max_records,
        tick=tick,
    )
    try:
        yield journal, shipper
    finally:
        shipper.close(0.1)
        journal.close()
