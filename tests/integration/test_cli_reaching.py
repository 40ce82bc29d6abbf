"""Who a command asks: the server that holds the store, and nobody who is only at its old address."""

from __future__ import annotations

import os
import signal
import socket
import threading
from urllib.parse import urlsplit

import pytest

from agentops.cli import storeway
from agentops.errors import AgentOpsError
from tests.conftest import StartServer
from tests.integration.test_cli_store import agentops
from tests.spans import body, span

EMBEDDED_ONLY = True
_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 9\r\n\r\n<p>hi</p>"
)


def test_whoever_listens_where_a_killed_server_did_is_not_asked(start_server: StartServer) -> None:
    server = start_server()
    assert server.post("/v1/traces", body(span(0x77, 1, name="still here"))).status_code == 200
    server.kill()
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", int(urlsplit(server.url).port or 0))) as stranger:

        def answer() -> None:
            while True:
                try:
                    line, _ = stranger.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(65_536))
                    line.sendall(_PAGE)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            listed = agentops(server.home, "sessions")
            keys = agentops(server.home, "keys", "list", "--json")
        finally:
            stranger.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert (listed.returncode, listed.stderr) == (0, b"")
    assert b"still here" in listed.stdout
    assert keys.returncode == 0, keys.stderr
    # It would have been handed a token that opens the store.
    assert heard == []


def test_a_server_that_hangs_is_named_and_not_waited_for(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server()
    monkeypatch.setattr(storeway, "_HEALTH_S", 0.2)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with (
            pytest.raises(AgentOpsError, match=f"does not answer. Look whether process {server.pid}"),
            storeway.storeway(str(server.home), None, None),
        ):
            pass
    finally:
        os.kill(server.pid, signal.SIGCONT)
