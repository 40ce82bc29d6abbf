"""A TCP proxy that breaks the connections through it, in the ways a network does; seeded.

Each connection draws one fault; one without a fault is closed after a few answers, so that the next draws.
What the server sees and what the client hears may differ: after `lost_answer` the server has the request and
the client does not know.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from typing import Final, Literal

Fault = Literal["none", "reset", "lost_answer", "slow", "half_closed", "busy", "garbage"]
FAULTS: Final[tuple[Fault, ...]] = ("reset", "lost_answer", "slow", "half_closed", "busy", "garbage")

_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0.05\r\nContent-Length: 0\r\n\r\n"
_PIECE: Final = 16_384


class FaultyProxy:
    """Listens on a free port of 127.0.0.1 and passes connections on to `port`.

    Args:
        port: Where the server listens; it need not.
        seed: Of every draw.
        faults: What a connection may suffer.
        share: How many of the connections suffer one.
    """

    def __init__(self, port: int, seed: int, faults: tuple[Fault, ...] = FAULTS, share: float = 0.7) -> None:
        self._port = port
        self._random = random.Random(seed)
        self._faults = faults
        self.share = share
        self.suffered: dict[str, int] = {}
        """Connections by fault."""
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, name="faulty-proxy", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; connections that are open end with their next piece."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault: Fault = "none"
            if self._random.random() < self.share:
                fault = self._random.choice(self._faults)
            after = self._random.randrange(1, 6000)
            answers = self._random.randrange(1, 4) if self.share else 1 << 30
            self.suffered[fault] = self.suffered.get(fault, 0) + 1
            threading.Thread(target=self._serve, args=(client, fault, after, answers), daemon=True).start()

    def _serve(self, client: socket.socket, fault: Fault, after: int, most: int) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(20)
            if fault == "busy":
                client.recv(_PIECE)
                client.sendall(_BUSY)
                _end(client)
                return
            if fault == "garbage":
                client.recv(_PIECE)
                client.sendall(b"\x00\x01 this is no HTTP\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self._port), timeout=20) as server:
                answers = threading.Thread(
                    target=self._answers, args=(server, client, fault, most), daemon=True
                )
                answers.start()
                self._requests(client, server, fault, after)
                answers.join(20)

    def _requests(self, client: socket.socket, server: socket.socket, fault: Fault, after: int) -> None:
        """Pass on what the client sends."""
        passed = 0
        while not self._stop.is_set() and (piece := client.recv(1024 if fault == "slow" else _PIECE)):
            if fault == "reset" and passed + len(piece) > after:
                server.sendall(piece[: max(0, after - passed)])
                _reset(client)
                _reset(server)
                return
            server.sendall(piece)
            passed += len(piece)
            if fault == "slow":
                self._stop.wait(0.005)
            if fault == "half_closed":
                # The client's side is shut for answers, as by a box in between that has forgotten it.
                client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answers(self, server: socket.socket, client: socket.socket, fault: Fault, most: int) -> None:
        """Pass on what the server answers, at most so many pieces, or not."""
        with contextlib.suppress(OSError):
            while piece := server.recv(_PIECE):
                if fault == "lost_answer":
                    _reset(client)
                    return
                if fault == "slow":
                    for start in range(0, len(piece), 32):
                        client.sendall(piece[start : start + 32])
                        self._stop.wait(0.01)
                else:
                    client.sendall(piece)
                    most -= 1
                if most == 0:
                    break
            client.shutdown(socket.SHUT_WR)


def _reset(sock: socket.socket) -> None:
    """Make the other side see a reset, not an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RD)
    sock.close()


def _end(client: socket.socket) -> None:
    """End the connection, reading the rest of the request, so that no reset overtakes the answer."""
    client.shutdown(socket.SHUT_WR)
    client.settimeout(1)
    with contextlib.suppress(OSError):
        while client.recv(_PIECE):
            pass
