"""The stand-in for a model that the example talks to."""

from __future__ import annotations

import json
import socket
import struct
import threading
from urllib.parse import urlsplit

import pytest
from examples.model_standin import StandIn

from tests.waiting import eventually


def test_a_client_that_hangs_up_is_nothing_to_report(capsys: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with StandIn(first_token_s=0) as model:
        client = socket.create_connection(("127.0.0.1", urlsplit(model.url).port or 0))
        client.sendall((head + body).encode())
        assert client.recv(8) == b"HTTP/1.1"
        # Closed without lingering, a connection is reset: its other end cannot read what was not sent.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        eventually(lambda: len(set(threading.enumerate()) - before) == 1)
    assert capsys.readouterr().err == ""
