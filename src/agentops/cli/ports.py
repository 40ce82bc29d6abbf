"""Ports: taking one, and saying who has it when it is taken."""

from __future__ import annotations

import errno
import http.client
import json
import socket
from contextlib import suppress

from agentops.errors import AgentOpsError


class PortTaken(AgentOpsError):
    """Another process listens there; the message says which, and what to do."""


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        PortTaken: another process has the port.
        AgentOpsError: the address is none of this machine's, or the port is not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host.strip("[]"), port))
        taken.listen(1024)
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(_who(host, port)) from None
        if error.errno == errno.EACCES:
            raise AgentOpsError(
                f"Port {port} needs more rights than this user has. Use --port with one from 1024 up."
            ) from None
        raise AgentOpsError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Use --host and --port."
        ) from None
    return taken


def url_of(host: str, port: int) -> str:
    """Return the address of a server, as a browser takes it."""
    return f"http://[{host.strip('[]')}]:{port}" if ":" in host else f"http://{host}:{port}"


def health(host: str, port: int, timeout_s: float = 1.0) -> dict[str, object] | None:
    """Return what the AgentOps server there says of itself, or None when none answers."""
    with suppress(OSError, http.client.HTTPException, ValueError):
        connection = http.client.HTTPConnection(host.strip("[]"), port, timeout=timeout_s)
        try:
            connection.request("GET", "/healthz")
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if isinstance(answer, dict) and answer.get("name") == "agentops":  # pyright: ignore[reportUnknownMemberType] -- JSON
            return answer  # pyright: ignore[reportUnknownVariableType] -- JSON
    return None


def _who(host: str, port: int) -> str:
    other = "or choose another port with --port (0 takes a free one)"
    ours = health(host, port)
    if ours is not None:
        return (
            f"An AgentOps server already runs at {url_of(host, port)} "
            f"(process {ours.get('pid')}, version {ours.get('version')}, store {ours.get('store')}). "
            f"Use it, stop it, {other}."
        )
    holder = _holder(port)
    if holder:
        return f"Port {port} is taken by {holder}. Stop it, {other}."
    return (
        f"Port {port} is taken by another program. Find it with `ss -ltnp 'sport = :{port}'` and "
        f"stop it, {other}."
    )


def _holder(port: int) -> str:
    with suppress(Exception):  # psutil raises its own errors where it may not look.
        import psutil

        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue] -- psutil's stubs give a bare tuple
                process = psutil.Process(connection.pid)
                return f"process {connection.pid} ({process.name()})"
    return ""
