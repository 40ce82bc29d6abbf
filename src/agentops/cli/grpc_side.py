"""OTLP over gRPC beside `agentops serve`'s HTTP: on when grpcio is installed, never what stops the server.

Who asked for a port gets it or an error; the port that nobody asked for, 4317, is left to whoever has it.
"""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from agentops import config
from agentops.cli import ports
from agentops.errors import AgentOpsError

if TYPE_CHECKING:
    from agentops.server.app import Server
    from agentops.server.otlp_grpc import OtlpGrpc

_log: Final = logging.getLogger("agentops.server")
_GRACE_S: Final = 5.0


class GrpcSide:
    """The gRPC server of a process, if it has one."""

    def __init__(self, host: str, given: str | None) -> None:
        """Decide whether and where to serve.

        Args:
            host: the address that HTTP listens on.
            given: the command line's --grpc-port: a port, "off", or None.

        Raises:
            AgentOpsError: the port that was asked for is taken, or grpcio is missing.
        """
        setting = config.BY_NAME["grpc_port"]
        self._asked = given is not None or bool(os.environ.get(setting.env))
        if given is None:
            self._port: int | None = config.read("grpc_port")
        else:
            try:
                self._port = setting.parse(given)
            except ValueError as error:
                raise AgentOpsError(f"--grpc-port {given} cannot be used: {error}.") from None
        self._host = host
        self._serving: OtlpGrpc | None = None
        if find_spec("grpc") is None and self._port is not None:
            if self._asked:
                raise AgentOpsError(
                    "OTLP over gRPC needs grpcio. Install it with: pip install 'agentops[grpc]', or leave "
                    "--grpc-port out."
                )
            self._port = None
        if self._asked and self._port:
            ports.listening(host, self._port).close()

    def start(self, server: Server, tls: tuple[str, str] | None) -> str:
        """Serve; return the address, or "" where gRPC is off, not installed or its port taken."""
        if self._port is None:
            return ""
        from agentops.server.otlp_grpc import GrpcUnavailable, OtlpGrpc

        serving = OtlpGrpc(server.rooms.ingest, server.auth, server.options.max_body_bytes, tls)
        try:
            serving.start(self._host, self._port)
        except GrpcUnavailable as error:
            serving.stop(0)
            _log.warning("%s", error)
            return ""
        self._serving = serving
        return ports.url_of(self._host, serving.port).removeprefix("http://")

    def stop(self) -> None:
        """Let what is under way end, and take no more."""
        if self._serving is not None:
            self._serving.stop(_GRACE_S)
