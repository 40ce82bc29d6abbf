"""One keep-alive connection to one server, on `http.client`, with a deadline for the whole exchange.

Imported when the first request is made, not before: `http.client` and `ssl` cost the importing program 30 ms.
"""

from __future__ import annotations

import base64
import contextlib
import encodings.idna  # noqa: F401  # pyright: ignore[reportUnusedImport] -- see below
import http.client
import io
import ipaddress
import os
import select
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from agentops.clock import monotonic
from agentops.journal.descriptors import out_of_the_way

# `encodings.idna` is what `connect` imports by itself, but outside the lock that a fork waits for (see
# `Client`): a child forked at that moment would wait for ever for a thread that it does not have.

LARGEST_ANSWER_BYTES: Final = 16 << 20
"""What comes after it is not read: a status says enough, and the recorded program's memory is not ours."""
_abandoned: Final[list[object]] = []


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until a deadline; `socket.settimeout` begins anew with every drop of a slow answer."""

    def __init__(self, sock: socket.socket, owner: _DeadlineSocket) -> None:
        self._sock = sock
        self._owner = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._sock.settimeout(self._owner.remaining_s())
        return self._sock.recv_into(buffer)


class _DeadlineSocket:
    """The part of a socket that `http.client` uses, bounded by `deadline` (monotonic seconds)."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock = sock
        self.deadline = deadline

    def remaining_s(self) -> float:
        remaining = self.deadline - monotonic()
        if remaining <= 0:
            raise TimeoutError("the server took too long")
        return remaining

    def sendall(self, payload: Any) -> None:
        self.sock.settimeout(self.remaining_s())
        self.sock.sendall(payload)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self.sock, self), 65_536)

    def close(self) -> None:
        """Do nothing: `http.client` calls it as soon as the last answer begins. `Connection.close` closes."""


class Connection:
    """A connection, opened by its first exchange.

    Args:
        scheme: `http` or `https`.
        host: Name or address.
        port: Port number.
        local: Whether it is this machine, which is never reached through a proxy.
    """

    def __init__(self, scheme: str, host: str, port: int, local: bool) -> None:
        self._scheme = scheme
        self._host = host
        self._port = port
        self._proxy, self._proxy_headers = (None, {}) if local else _proxy_for(scheme, host, port)
        self._http: http.client.HTTPConnection | None = None
        self._socket: _DeadlineSocket | None = None
        self._used = False

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], deadline: float
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Send one request and return status, headers (lower-case names) and body.

        None when the server had closed a kept connection meanwhile: it has not answered, a new one may.

        Raises:
            OSError: no connection, or it broke, or the deadline passed.
            http.client.HTTPException: the answer is not HTTP.
        """
        try:
            connection, sock = self._open(deadline)
            sock.deadline = deadline
            return self._exchange(connection, method, path, body, headers)
        except (ConnectionError, http.client.BadStatusLine):
            was_used = self._used
            self.close()
            if was_used:
                return None
            raise
        except BaseException:
            self.close()
            raise

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            sent = {**headers, **self._proxy_headers} if self._scheme == "http" else dict(headers)
            connection.request(method, self._target(path), body=body, headers=sent)
        except (BrokenPipeError, ConnectionResetError):
            # A server may answer (413, say) and close before it has read the whole body: read what it said.
            pass
        with connection.getresponse() as response:
            answer = _whole_body(response)
            found = {name.lower(): value for name, value in response.getheaders()}
            self._used = True
            if response.will_close or not response.isclosed():
                self.close()
            return response.status, found, answer

    def _target(self, path: str) -> str:
        if self._proxy is not None and self._scheme == "http":
            return f"http://{_bracketed(self._host)}:{self._port}{path}"
        return path

    def _open(self, deadline: float) -> tuple[http.client.HTTPConnection, _DeadlineSocket]:
        if self._http is not None and self._socket is not None:
            if not _is_readable(self._socket.sock):
                return self._http, self._socket
            self.close()  # Between requests only the end of the connection can be read.
        timeout_s = max(0.001, deadline - monotonic())
        host, port = self._proxy or (self._host, self._port)
        if self._scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=timeout_s, context=ssl.create_default_context()
            )
            if self._proxy is not None:
                connection.set_tunnel(self._host, self._port, self._proxy_headers)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        connection._create_connection = _connected  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue] -- made to be replaced, and as old as the class
        self._http = connection
        self._used = False
        connection.connect()
        self._socket = _DeadlineSocket(connection.sock, deadline)
        connection.sock = self._socket  # pyright: ignore[reportAttributeAccessIssue] -- has all that http.client uses
        return connection, self._socket

    def close(self) -> None:
        """Close it; the next exchange opens it again."""
        connection, self._http = self._http, None
        sock, self._socket = self._socket, None
        if connection is not None:
            connection.close()
        if sock is not None:
            sock.sock.close()

    def abandon(self) -> None:
        """Close a forked child's copy of it, and nothing else.

        The parent's thread may have been reading: what it read into holds a lock that nobody frees in the
        child, so it is neither closed nor ever collected.
        """
        connection, self._http = self._http, None
        sock, self._socket = self._socket, None
        if connection is None:
            return
        _abandoned.append((connection, sock))
        own = connection.sock if sock is None else sock.sock
        if own is not None:
            with contextlib.suppress(OSError):
                os.close(own.detach())


def _connected(address: tuple[str, int], timeout_s: float, _source: Any = None) -> socket.socket:
    """Connect as `socket.create_connection` does, with a socket whose number no file of the program gets."""
    refused: OSError | None = None
    for family, kind, protocol, _, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        made = socket.socket(family, kind, protocol)
        sock = socket.socket(family, kind, protocol, fileno=out_of_the_way(made.detach()))
        try:
            sock.settimeout(timeout_s)
            sock.connect(place)
        except OSError as error:
            refused = error
            sock.close()
        else:
            return sock
    raise refused or OSError(f"{address[0]} has no address")


def _whole_body(response: http.client.HTTPResponse) -> bytes:
    """Return the body; `read()` alone has no limit, and `read(limit)` does not notice a body cut short."""
    pieces: list[bytes] = []
    total = 0
    while piece := response.read(65_536):
        pieces.append(piece)
        total += len(piece)
        if total >= LARGEST_ANSWER_BYTES:
            return b"".join(pieces)
    if response.length:
        raise http.client.IncompleteRead(b"".join(pieces), response.length)
    return b"".join(pieces)


def _is_readable(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _proxy_for(scheme: str, host: str, port: int) -> tuple[tuple[str, int] | None, dict[str, str]]:
    """Return host and port of the proxy that the environment names for this address, and headers for it.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as other HTTP clients read them.

    Raises:
        ValueError: no HTTP proxy is named.
    """
    named = urllib.request.getproxies_environment()
    address = named.get(scheme) or named.get("all")
    if not address or _is_direct(host, port, named.get("no", "")):
        return None, {}
    split = urlsplit(address if "://" in address else f"http://{address}")
    if not split.hostname:
        return None, {}
    shown = f"the proxy {split.scheme}://{split.netloc.rpartition('@')[2]}"
    if split.scheme not in ("http", "https"):
        fix = f"name one in {scheme.upper()}_PROXY, or {host} in NO_PROXY"
        raise ValueError(f"{shown} is no HTTP proxy; {fix}")
    try:
        proxy = split.hostname, split.port or 80
    except ValueError:
        raise ValueError(f"{shown} has a port that is none") from None
    headers: dict[str, str] = {}
    if split.username is not None:
        pair = f"{unquote(split.username)}:{unquote(split.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return proxy, headers


def _is_direct(host: str, port: int, exceptions: str) -> bool:
    """Say whether NO_PROXY names a host: by name, address, domain or, as clusters do, by network."""
    named: Any = urllib.request.proxy_bypass_environment  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType] -- typeshed has it for some systems only
    if named(f"{host}:{port}") or named(f"{_bracketed(host)}:{port}"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for one in exceptions.split(","):
        try:
            if address in ipaddress.ip_network(one.strip().strip("[]"), strict=False):
                return True
        except ValueError:
            continue  # A name.
    return False
