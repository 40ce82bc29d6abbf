"""A small HTTP(S) client: keep-alive, a deadline for the whole exchange, one kind of failure.

Safe to use from several threads; a forked child begins without the parent's connections.
"""

from __future__ import annotations

import ipaddress
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from agentops.clock import monotonic
from agentops.errors import AgentOpsError
from agentops.journal import fork

if TYPE_CHECKING:
    from agentops.shipper.connection import Connection

_KEPT: Final = 2
"""Idle connections kept."""
_OTHER_NAME: Final = (62, 64)
_OTHER_TIME: Final = (9, 10)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH, _CERT_NOT_YET_VALID and _CERT_HAS_EXPIRED."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionFailed(AgentOpsError):
    """No answer was received.

    Attributes:
        unreachable: Nothing accepts connections at the address.
        timed_out: The time was up.
        held: Somebody has to act: a certificate is not trusted, TLS is not what is spoken there, or an
            address (a proxy's too) is none.
    """

    def __init__(
        self, message: str, *, unreachable: bool = False, timed_out: bool = False, held: bool = False
    ) -> None:
        super().__init__(message)
        self.unreachable = unreachable
        self.timed_out = timed_out
        self.held = held


class Client:
    """Makes requests and keeps a few connections for the next ones."""

    def __init__(self) -> None:
        self._idle: list[tuple[tuple[str, str, int], Connection]] = []
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._import_lock = threading.Lock()
        self._held_for_fork = False
        fork.watch(self)

    def request(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> Response:
        """Make a request and return the answer, whatever its status.

        Args:
            method: `GET`, `POST`, ...
            url: `http://...` or `https://...`, with path and query.
            body: Sent with its Content-Length.
            headers: Beside those that HTTP itself needs.
            timeout_s: For the whole exchange, name resolution apart.

        Raises:
            ConnectionFailed: there was no answer.
        """
        deadline = monotonic() + timeout_s
        try:
            split = urlsplit(url)
            key = _key(split)
            path = (split.path or "/") + (f"?{split.query}" if split.query else "")
            while True:
                connection = self._take(key)
                answer = connection.exchange(method, path, body, headers or {}, deadline)
                if answer is None:
                    continue  # With the next kept connection, at last with a new one.
                self._keep(key, connection)
                return Response(*answer)
        except Exception as error:
            raise _failure(url, error) from error

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop()[1].close()

    def _take(self, key: tuple[str, str, int]) -> Connection:
        # Lists of one element or two: every step is atomic, so threads need no lock.
        for entry in list(self._idle):
            if entry[0] == key:
                try:
                    self._idle.remove(entry)
                except ValueError:
                    continue
                return entry[1]
        with self._import_lock:
            from agentops.shipper.connection import Connection  # Late: see its first lines.

            connection = Connection(*key, local=is_loopback(key[1]))
            self._open.add(connection)
        return connection

    def _keep(self, key: tuple[str, str, int], connection: Connection) -> None:
        if len(self._idle) < _KEPT:
            self._idle.append((key, connection))
        else:
            connection.close()

    def before_fork(self) -> None:
        """Wait for the late import: a child forked in the middle of it could never import these modules."""
        self._held_for_fork = self._import_lock.acquire(timeout=fork.LOCK_WAIT_S)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._import_lock.release()

    def after_fork_in_child(self) -> None:
        """Close the child's copies of the parent's connections."""
        self._import_lock = threading.Lock()
        self._held_for_fork = False
        # Before the list lets go of those that are kept: a socket that is only forgotten is warned of.
        for connection in list(self._open):
            connection.abandon()
        self._idle.clear()


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(split: SplitResult) -> tuple[str, str, int]:
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError("the address must begin with http:// or https:// and name a host")
    return split.scheme, split.hostname, split.port or (443 if split.scheme == "https" else 80)


def _failure(url: str, error: Exception) -> ConnectionFailed:
    split = urlsplit(url.partition("?")[0])
    place = f"{split.scheme}://{split.netloc.rpartition('@')[2]}"
    timed_out = isinstance(error, TimeoutError)
    # A certificate that is refused is a ValueError too.
    held = isinstance(error, ValueError) or getattr(error, "reason", None) == "WRONG_VERSION_NUMBER"
    # OSError of its own type only: name resolution fails with it, and so does an address without a route.
    unreachable = isinstance(error, ConnectionRefusedError) or (
        isinstance(error, OSError) and not (timed_out or held or isinstance(error, ConnectionError))
    )
    return ConnectionFailed(
        f"{place}: {type(error).__name__}: {error}{_hint(error)}",
        unreachable=unreachable,
        timed_out=timed_out,
        held=held,
    )


def _hint(error: Exception) -> str:
    """Return what to do about a certificate that is refused."""
    # By name: `ssl` is not loaded for its own sake.
    if type(error).__name__ != "SSLCertVerificationError":
        return ""
    code = getattr(error, "verify_code", 0)
    if code in _OTHER_NAME:
        return ". Use an address that the certificate names"
    if code in _OTHER_TIME:
        return ". Renew the certificate, or set the clock"
    return ". If it has an authority of its own, set SSL_CERT_FILE to its certificate"
