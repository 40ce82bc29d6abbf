"""`agentops serve`: one process with ingest, store, API and dashboard."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import ipaddress
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentops import config
from agentops.cli import logs, ports
from agentops.cli.grpc_side import GrpcSide
from agentops.errors import AgentOpsError, SettingError

if TYPE_CHECKING:
    from agentops.server.app import Server
    from agentops.server.store.opening import OpenStore
    from agentops.server.store.url import StoreUrl

_GRACE_S = 5
_NEEDED = (
    "fastapi",
    "uvicorn",
    "clickhouse_connect",
    "chdb",
    "genai_prices",
    "psutil",
    "opentelemetry.proto",
)


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("serve", help="run the server and its dashboard on this machine")
    command.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    command.add_argument("--port", type=int, help="port to listen on (default 8420; 0 takes a free one)")
    command.add_argument(
        "--grpc-port", metavar="PORT", help="port for OTLP over gRPC (default 4317; 0 takes a free one; off)"
    )
    command.add_argument("--log-format", choices=logs.FORMATS, help="how the log is written (default text)")
    command.add_argument(
        "--store", metavar="URL", help="chdb:///absolute/path or clickhouse://user:password@host:port/db"
    )
    command.add_argument("--home", metavar="FOLDER", help="folder of everything local (default ~/.agentops)")
    command.add_argument(
        "--auth", action=argparse.BooleanOptionalAction, default=None, help="require API keys"
    )
    command.add_argument(
        "--tls-cert", metavar="FILE", help="certificate (PEM, with its chain) to serve HTTPS"
    )
    command.add_argument("--tls-key", metavar="FILE", help="private key (PEM) of the certificate")
    command.add_argument(
        "--forwarded-allow-ips",
        metavar="ADDRESSES",
        help="proxies whose X-Forwarded headers count, comma separated (default none)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    check_installed()
    # What is local is its user's, in folders too that were there before.
    os.umask(0o077)
    host: str = config.read("host", chosen.host)
    port: int = config.read("port", chosen.port)
    home = config.home(chosen.home)
    auth: bool = config.read("auth", chosen.auth)
    if not 0 <= port <= 65535:
        raise AgentOpsError(f"--port {port} is no port. Use one from 1024 to 65535, or 0 for a free one.")
    tls = _tls(chosen)
    if not auth and not _loopback(host):
        raise AgentOpsError(
            f"--host {host} would serve other machines, and without --auth everybody there could read and "
            "write every session. Leave it at 127.0.0.1 and use a tunnel (ssh -L 8420:127.0.0.1:8420) to "
            "reach it from elsewhere, or serve with --auth."
        )
    grpc_side = GrpcSide(host, chosen.grpc_port)
    listener = ports.listening(host, port)
    url = ports.url_of(host, listener.getsockname()[1])
    if tls:
        url = url.replace("http://", "https://", 1)
    logs.configure(config.read("log_format", chosen.log_format))
    # Start-up makes nothing but what stays: collecting in between only costs.
    gc.disable()
    with _StopEarly():
        server = _opened(chosen, home, auth)
    try:
        server.describe(url)
        if auth:
            _show_first_key(server)
            if not tls and not _loopback(host):
                print(
                    "Keys travel readable over this network: serve with --tls-cert and --tls-key, or behind "
                    "a proxy that does TLS.",
                    file=sys.stderr,
                    flush=True,
                )
        return _serve(server, listener, url, home, tls, grpc_side)
    finally:
        server.close()


def _tls(chosen: argparse.Namespace) -> tuple[str, str] | None:
    """Return the files of certificate and key, tried out, or None without TLS."""
    cert: str | None = config.read("tls_cert", chosen.tls_cert)
    key: str | None = config.read("tls_key", chosen.tls_key)
    if not cert and not key:
        return None
    if not cert or not key:
        missing = "--tls-key" if cert else "--tls-cert"
        raise AgentOpsError(f"TLS needs --tls-cert and --tls-key; {missing} is missing.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise AgentOpsError(
            f"--tls-cert {cert} and --tls-key {key} cannot be used: {error}. "
            "Use PEM files that belong together."
        ) from None
    return cert, key


def _show_first_key(server: Server) -> None:
    """Print the first admin key when there is none; it is never shown again."""
    key = server.auth.first_key()
    if key is not None:
        print(
            f"Your first key, with all rights, shown only now: {key}\n"
            "Sign in with it, or make others: agentops keys create --scope record",
            flush=True,
        )


class _StopEarly:
    """Turns a signal during start-up into a clean exit."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, self._leave)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    @staticmethod
    def _leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)


def check_installed() -> None:
    """Say what to install when the server is not."""
    for name in _NEEDED:
        try:
            missing = find_spec(name) is None
        except ModuleNotFoundError:
            missing = True
        if missing:
            raise AgentOpsError(
                f"The server is not installed (no module {name}). "
                "Install it with: pip install 'agentops[server]'"
            )


def _loopback(host: str) -> bool:
    name = host.strip("[]").lower()
    try:
        # A name such as 127.example.com may be anybody's address.
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _opened(chosen: argparse.Namespace, home: Path, auth: bool) -> Server:
    from agentops.server.store.url import StoreUrl

    given: str | None = config.read("store", chosen.store)
    if given is None:
        given = f"chdb://{home / 'store'}"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingError(
            f"The home {home} cannot be made: {error}. Choose another folder with --home or AGENTOPS_HOME."
        ) from None
    url = StoreUrl.parse(given)
    # The engine's library takes a third of a second to load and open, much of it outside of Python; the web
    # framework takes as long: side by side.
    with ThreadPoolExecutor(1, "agentops-start") as thread:
        opening = thread.submit(_open_store, url)
        try:
            from agentops.server.app import Options, Server
            from agentops.server.auth.secret import open_secret
            from agentops.server.forwarded import networks
            from agentops.server.pricelist import own_prices
            from agentops.server.store.session import Silence
        except BaseException:
            opening.result().close()
            raise
        opened = opening.result()
    try:
        silence = Silence(
            own_ns=int(config.read("session_silence") * 10**9),
            foreign_ns=int(config.read("foreign_silence") * 10**9),
        )
        trusted = chosen.forwarded_allow_ips
        proxies: list[str] = config.read(
            "forwarded_allow_ips", None if trusted is None else [word.strip() for word in trusted.split(",")]
        )
        networks(proxies)
        options = Options(
            silence=silence,
            max_body_bytes=config.read("max_body_bytes"),
            home=home,
            local_only=not auth,
            trusted_proxies=proxies,
            auth=auth,
            secret=open_secret(home, config.read("secret")),
            quota_bytes=config.read("key_quota"),
            retention_days=config.read("retention_days"),
            own_prices=own_prices(home, config.read("prices")),
        )
        return Server(options, opened)
    except BaseException:
        opened.close()
        raise


def _open_store(url: StoreUrl) -> OpenStore:
    from agentops.server.store.opening import open_store

    return open_store(url)


def _serve(
    server: Server,
    listener: socket.socket,
    url: str,
    home: Path,
    tls: tuple[str, str] | None,
    grpc_side: GrpcSide,
) -> int:
    import uvicorn

    from agentops.cli.orphans import OrphanDrain
    from agentops.server.app import guarded
    from agentops.server.connection import Connection, allow_many_files
    from agentops.server.memory import release_code_pages

    app = guarded(server)
    allow_many_files()
    drain = OrphanDrain(home, server.rooms.ingest, listener.getsockname()[1], server.auth)

    class Uvicorn(uvicorn.Server):
        """uvicorn, saying when it is ready and ending with exit code 0 on a signal."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            grpc_address = grpc_side.start(server, tls)
            print(f"AgentOps is ready at {url} (store: {server.rooms.store.url})", flush=True)
            if grpc_address:
                print(f"OTLP over gRPC at {grpc_address}", flush=True)
            drain.start()
            loop = asyncio.get_running_loop()
            loop.call_later(0.5, _settle)

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._leave)
            try:
                yield
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(number)
                    # A second Ctrl-C while the store closes would leave a traceback, and nothing closed.
                    signal.signal(number, signal.SIG_IGN)

        def _leave(self) -> None:
            # A second signal forces nothing: leaving takes seconds at most, and a supervisor's SIGTERM often
            # follows the terminal's SIGINT.
            self.should_exit = True
            server.leave()

    def _settle() -> None:
        gc.collect()
        gc.freeze()
        gc.enable()
        gc.set_threshold(20_000, 20, 50)
        threading.Thread(target=release_code_pages, name="agentops-settle", daemon=True).start()

    running = Uvicorn(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="on",
            http=Connection,
            # Whose word about the client counts is decided in server/forwarded.py.
            proxy_headers=False,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE_S,
            ws="none",
        )
    )
    try:
        running.run(sockets=[listener])
    finally:
        grpc_side.stop()
        drain.stop()
    return 0 if running.started else 1
