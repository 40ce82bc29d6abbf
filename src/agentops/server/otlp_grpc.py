"""OTLP over gRPC: the same ingest as POST /v1/traces and /v1/logs, for exporters that speak gRPC.

Bodies pass through as bytes: decoding, limits, partial success and the caller's project are those of HTTP. An
answer means committed. What cannot be taken now is UNAVAILABLE with the time to wait, which exporters obey;
what can never be taken is INVALID_ARGUMENT and the like, which they drop.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast
from urllib.parse import unquote

from agentops.errors import AgentOpsError, StoreError
from agentops.otlp.refusal import MalformedBody, Rejected
from agentops.semconv import SENT_AT_HEADER
from agentops.server.auth import RECORD, Auth, Caller, Denied
from agentops.server.auth.caller import lacking
from agentops.server.auth.registry import KEY_HEADER
from agentops.server.connection import plain_address
from agentops.server.ingest import Ingest, accepted
from agentops.server.ingest.answer import varint
from agentops.server.store.write import Full

if TYPE_CHECKING:
    import grpc

_log: Final = logging.getLogger("agentops.server")
_WAITING_THREADS: Final = 32
"""Requests that wait for their commit at the same time; others wait unread in their connections."""
_DECODING_THREADS: Final = 2
_COMMIT_S: Final = 60.0
_RETRY_S: Final = 1
_CONNECTION_AGE_MS: Final = 600_000
"""Connections are renewed so often, so that a balancer can spread them anew."""
_SERVICES: Final = "opentelemetry.proto.collector.{0}.v1.{1}Service"
_Submitted = tuple["Future[None] | None", list[Rejected]]


class GrpcUnavailable(AgentOpsError):
    """gRPC cannot be served; the message says what to install or which port is taken."""


class OtlpGrpc:
    """A gRPC server for telemetry, on a port of its own."""

    def __init__(
        self, ingest: Ingest, auth: Auth, max_body_bytes: int, tls: tuple[str, str] | None = None
    ) -> None:
        """Make a server that does not listen yet.

        Args:
            ingest: where the telemetry goes.
            auth: who may send it, and into which project.
            max_body_bytes: longest request, counted after decompression.
            tls: files of a certificate and its key, as HTTP has them.

        Raises:
            GrpcUnavailable: grpcio is not installed.
        """
        # Its core writes what it thinks to standard error, past any logger; what matters is raised as well.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            import grpc
        except ImportError:
            raise GrpcUnavailable(
                "OTLP over gRPC needs grpcio. Install it with: pip install 'agentops[grpc]'"
            ) from None
        self._grpc = grpc
        self._ingest = ingest
        self._auth = auth
        self._tls = tls
        self._decoding = threading.Semaphore(_DECODING_THREADS)
        self.port = 0
        self._server = grpc.server(
            ThreadPoolExecutor(_WAITING_THREADS, "agentops-grpc"),
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", max_body_bytes),
                ("grpc.max_connection_age_ms", _CONNECTION_AGE_MS),
                ("grpc.max_connection_age_grace_ms", int(_COMMIT_S * 1000)),
                # Exporters that keep an idle connection alive are no attack.
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        for signal, name, work, noun in (
            ("trace", "Trace", self._traces, "Spans"),
            ("logs", "Logs", self._logs, "LogRecords"),
            ("metrics", "Metrics", self._metrics, "DataPoints"),
        ):
            method = cast(Any, grpc.unary_unary_rpc_method_handler(self._answering(work, noun)))
            service = _SERVICES.format(signal, name)
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, {"Export": method}),)
            )

    def start(self, host: str, port: int) -> None:
        """Listen; 0 takes a free port.

        Raises:
            GrpcUnavailable: the port is taken.
        """
        address = f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if self._tls:
                cert, key = (_bytes_of(file) for file in self._tls)
                credentials = self._grpc.ssl_server_credentials([(key, cert)])
                self.port = self._server.add_secure_port(address, credentials)
            else:
                self.port = self._server.add_insecure_port(address)
        except RuntimeError:
            raise GrpcUnavailable(
                f"OTLP over gRPC is not served: {address} is taken by another program. Stop that one, choose "
                "another port with --grpc-port (0 takes a free one), or switch it off with --grpc-port off."
            ) from None
        self._server.start()

    def stop(self, grace_s: float) -> None:
        """Take no new requests, and let those that are under way end."""
        self._server.stop(grace_s).wait()

    def _answering(
        self, work: Callable[[bytes, Caller, dict[str, str]], _Submitted], noun: str
    ) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        code = self._grpc.StatusCode

        def answer(body: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                sent = {name: value for name, value in _metadata(context) if isinstance(value, str)}
                caller = self._caller(sent, context)
                if not caller.may(RECORD):
                    raise lacking(RECORD, caller)
                if caller.key_id:
                    self._auth.audit.used(caller.key_id, RECORD, _address(context.peer()), caller.project)
                self._auth.check_quota(caller)
                self._auth.took(caller, len(body))
                with self._ingest.intake.holding() as held:
                    held.grow(len(body))
                    with self._decoding:
                        held.grow(0)
                        done, rejected = work(body, caller, sent)
                if done is not None:
                    done.result(_COMMIT_S)
                return accepted("protobuf", rejected, noun)
            except MalformedBody as error:
                context.abort(code.INVALID_ARGUMENT, f"The request cannot be read: {error}")
            except Full as error:
                _later(context, code.UNAVAILABLE, str(error), error)
            except Denied as error:
                said = f"{error.message} {error.hint}".strip()
                if error.status == 429:
                    _later(context, code.RESOURCE_EXHAUSTED, said, error)
                denied = code.UNAUTHENTICATED if error.status == 401 else code.PERMISSION_DENIED
                context.abort(denied, said)
            except (StoreError, TimeoutError) as error:
                _later(context, code.UNAVAILABLE, f"The store does not take this now: {error}", error)

        return answer

    def _caller(self, sent: dict[str, str], context: grpc.ServicerContext) -> Caller:
        shows = sent.keys() & {"authorization", KEY_HEADER}
        try:
            return self._auth.authenticate(sent)
        except Denied:
            if not shows:
                raise
        self._auth.look_again(time.monotonic())
        try:
            return self._auth.authenticate(sent)
        except Denied:
            self._auth.audit.refused(_address(context.peer()))
            raise

    def _traces(self, body: bytes, caller: Caller, sent: dict[str, str]) -> _Submitted:
        text = sent.get(SENT_AT_HEADER.lower(), "")
        sent_at_ns = int(text) if re.fullmatch(r"[0-9]{1,19}", text) else None
        return self._ingest.traces(body, "protobuf", caller.project, sent_at_ns)

    def _logs(self, body: bytes, caller: Caller, sent: dict[str, str]) -> _Submitted:
        return self._ingest.logs(body, "protobuf", caller.project)

    def _metrics(self, body: bytes, caller: Caller, sent: dict[str, str]) -> _Submitted:
        return self._ingest.metrics(body, "protobuf")


def _metadata(context: grpc.ServicerContext) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in context.invocation_metadata() or ()]


def _address(peer: str) -> str:
    """Return the address in gRPC's name of a peer: "ipv4:10.0.0.7:5312", "ipv6:%5B::1%5D:5312"."""
    return plain_address(unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]"))


def _bytes_of(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def _later(context: grpc.ServicerContext, code: grpc.StatusCode, said: str, error: Any) -> NoReturn:
    """Refuse for now. The time to wait goes along as google.rpc.RetryInfo, as OTLP asks for."""
    headers: dict[str, str] = getattr(error, "headers", None) or {}
    wait_s = getattr(error, "retry_after_s", None) or int(headers.get("Retry-After", _RETRY_S))
    info = _field(1, _field(1, int(wait_s)))
    any_info = _field(1, b"type.googleapis.com/google.rpc.RetryInfo") + _field(2, info)
    status = _field(1, int(code.value[0])) + _field(2, said.encode()) + _field(3, any_info)
    context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(code, said)


def _field(number: int, value: int | bytes) -> bytes:
    """Encode one protobuf field: a whole number or bytes."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    return bytes([number << 3 | 2]) + varint(len(value)) + value
