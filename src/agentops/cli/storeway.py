"""The way to a store's sessions: the server that holds the store, or one that runs for this command only.

Either is asked over HTTP on this machine, with a token that is signed with the home's secret, which only its
user can read; so a command does the same whether a server runs or not.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from agentops import config
from agentops.errors import AgentOpsError, StoreError

if TYPE_CHECKING:
    from agentops.server.store.lock import Owner

_TIMEOUT_S: Final = 600
_STARTING_S: Final = 10.0
_HEALTH_S: Final = 15.0
_PIECE: Final = 1 << 18


class NotThere(AgentOpsError):
    """The server knows no such thing."""


class StoreWay:
    """An open way: `ask` returns JSON, `pieces` the bytes of a long answer as they come."""

    def __init__(self, url: str, secret: Any, project: str | None, timeout_s: float = _TIMEOUT_S) -> None:
        self._url = urlsplit(url)
        self._secret = secret
        self._project = project
        self._timeout_s = timeout_s

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = "application/json",
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the JSON of an answer, None for an empty one.

        Raises:
            AgentOpsError: the server refused; its message and hint.
            OSError: it does not answer.
        """
        text = b"".join(self.pieces(method, path, body, media=media, parameters=parameters))
        return msgspec.json.decode(text) if text else None

    def pieces(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media: str = "application/json",
        parameters: Mapping[str, Any] | None = None,
    ) -> Iterator[bytes]:
        """Yield an answer's bytes; as `ask`."""
        with self._asked(method, path, body, media, parameters) as answer:
            while piece := answer.read(_PIECE):
                yield piece

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield an empty line once a stream has begun, then its lines as they come; as `ask`."""
        with self._asked("GET", path, None, "", None) as answer:
            yield b""
            while line := answer.readline():
                yield line.rstrip(b"\r\n")

    @contextlib.contextmanager
    def _asked(
        self, method: str, path: str, body: bytes | None, media: str, parameters: Mapping[str, Any] | None
    ) -> Generator[http.client.HTTPResponse]:
        from agentops.server.auth.registry import operator_token

        headers = {"Authorization": f"Bearer {operator_token(self._secret)}"}
        if self._project:
            headers["X-Agentops-Project"] = self._project
        if body is not None:
            headers["Content-Type"] = media
        asked = [(name, value) for name, value in (parameters or {}).items() if value not in (None, "", [])]
        if asked:
            path += "?" + urlencode(asked, doseq=True)
        line = self._line()
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            if answer.status == 401:
                raise AgentOpsError(
                    f"The server at {self._url.geturl()} has another secret than this command. "
                    "Give the command the AGENTOPS_SECRET that the server has."
                )
            if answer.status >= 400:
                refused = NotThere if answer.status == 404 else AgentOpsError
                raise refused(_refusal(answer.status, answer.read()))
            yield answer
        except http.client.HTTPException as error:
            raise OSError(f"the server broke off: {error}") from None
        finally:
            line.close()

    def _line(self) -> http.client.HTTPConnection:
        host = self._url.hostname or "127.0.0.1"
        # A server that listens everywhere is asked on this machine.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- asked, not served
        if self._url.scheme == "https":
            # The store's lock says that this address is our own server; its certificate may name another.
            trust = ssl.create_default_context()
            trust.check_hostname = False
            trust.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(
                host, self._url.port or 443, timeout=self._timeout_s, context=trust
            )
        return http.client.HTTPConnection(host, self._url.port or 80, timeout=self._timeout_s)


def _refusal(status: int, text: bytes) -> str:
    try:
        said: dict[str, str] = msgspec.json.decode(text)["error"]
        return f"{said['message']} {said['hint']}".strip()
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"The server answered {status}."


def define(command: Any) -> None:
    """Add the options that say which store."""
    command.add_argument("--home", metavar="FOLDER", help="folder of everything local (default ~/.agentops)")
    command.add_argument("--store", metavar="URL", help="the store, when it is not the home's")
    command.add_argument(
        "--project", metavar="NAME", help="name or id of the project (default: the first one)"
    )


@contextlib.contextmanager
def storeway(
    home_given: str | None,
    store_given: str | None,
    project: str | None,
    *,
    waits: bool = False,
    records: bool = False,
) -> Generator[StoreWay]:
    """Open the way that there is.

    Args:
        home_given: the folder of everything local, None for the configured one.
        store_given: the store's URL, None for the configured one.
        project: name or id of the project, None for the first one.
        waits: the caller waits for changes: a store of this machine is left to the server that makes them.
        records: the caller records calls, which cost what one's own prices say.

    Raises:
        AgentOpsError: neither a server nor the store can be reached.
    """
    from agentops.cli.serve import check_installed

    check_installed()
    # What its driver complains of, our own message says.
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    from agentops.server.auth.secret import open_secret
    from agentops.server.store.lock import read_owner
    from agentops.server.store.url import StoreUrl

    home = config.home(home_given)
    given: str | None = config.read("store", store_given)
    url = StoreUrl.parse(given or f"chdb://{home / 'store'}")
    # A home that was named wrongly is not to become one; only an import may begin a store.
    wrong_home = home_given is not None and given is None and not records
    named = "--store" if store_given is not None else "--home" if wrong_home else ""
    if named and url.path is not None and not url.path.exists():
        raise AgentOpsError(f"There is no store at {url.path}. Check {named}.")
    secret = open_secret(home, config.read("secret"))
    deadline = time.monotonic() + _STARTING_S
    while True:
        if url.path is not None:
            owner = read_owner(url.path.with_name(url.path.name + ".lock"))
            if owner.url:
                if _answers(owner, secret):
                    yield StoreWay(owner.url, secret, project)
                    return
            elif waits:
                raise AgentOpsError(
                    f"No server runs with the store {url.path}, so nothing changes. Start agentops serve."
                )
        try:
            serving = _Own(url, home, secret, prices=records)
        except StoreError:
            # A server that is starting holds the store and does not answer yet.
            if url.path is None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
            continue
        with serving as address:
            yield StoreWay(address, secret, project)
        return


def _answers(owner: Owner, secret: Any) -> bool:
    """Return whether the server that holds the store answers.

    Raises:
        AgentOpsError: it takes the question and says nothing.
    """
    try:
        StoreWay(owner.url, secret, None, _HEALTH_S).ask("GET", "/healthz")
    except TimeoutError:
        raise AgentOpsError(
            f"The server at {owner.url} holds the store and does not answer. "
            f"Look whether process {owner.pid} is busy or stopped, or end it."
        ) from None
    except OSError:
        return False
    return True


class _Own:
    """A server of this command's own, on this machine, that answers to the home's secret only."""

    def __init__(self, url: Any, home: Path, secret: Any, *, prices: bool) -> None:
        from agentops.server.app import Options, Server
        from agentops.server.pricelist import own_prices
        from agentops.server.store.opening import open_store
        from agentops.server.store.session import Silence

        own = own_prices(home, config.read("prices")) if prices else None
        opened = open_store(url)
        try:
            silence = Silence(
                own_ns=int(config.read("session_silence") * 10**9),
                foreign_ns=int(config.read("foreign_silence") * 10**9),
            )
            self._server = Server(
                Options(
                    silence=silence,
                    max_body_bytes=config.read("max_body_bytes"),
                    home=home,
                    auth=True,
                    secret=secret,
                    own_prices=own,
                    warms=False,
                ),
                opened,
            )
        except BaseException:
            opened.close()
            raise

    def __enter__(self) -> str:
        import uvicorn

        from agentops.server.app import guarded

        listener = socket.create_server(("127.0.0.1", 0))
        self._running = uvicorn.Server(
            uvicorn.Config(guarded(self._server), log_config=None, access_log=False, ws="none", lifespan="on")
        )
        self._thread = threading.Thread(
            target=self._running.run, args=([listener],), name="agentops-own-server", daemon=True
        )
        self._thread.start()
        while not self._running.started and self._thread.is_alive():
            time.sleep(0.005)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.live.close()
        self._running.should_exit = True
        self._thread.join(_STARTING_S)
        self._server.close()
