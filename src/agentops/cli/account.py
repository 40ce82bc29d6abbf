"""The way to keys and projects: through the server that holds the store, or into the store when none runs.

The server is told by a token that is signed with the home's secret, which only its user can read.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from agentops import config
from agentops.errors import AgentOpsError, StoreError

_TIMEOUT_S = 60
_EMBEDDED_TRIES_S = 5.0
_NO_KEY = "There is no key {!r}. `agentops keys list` shows the keys there are."
_HINTS = {
    "key_not_found": "`agentops keys list` shows the keys there are.",
    "project_not_found": "`agentops projects list` shows the projects there are.",
}
"""What the server's hints say to those who ask by command: they name commands, not routes."""


class Account(Protocol):
    """What the commands ask for; answers are those of the HTTP API."""

    def create_key(self, **wish: Any) -> dict[str, Any]:
        """Make a key."""
        ...

    def list_keys(self, project: str) -> list[dict[str, Any]]:
        """List the keys of a project, of all with ""."""
        ...

    def revoke_key(self, key_id: str) -> dict[str, Any]:
        """End a key."""
        ...

    def rotate_key(self, key_id: str) -> dict[str, Any]:
        """Replace a key."""
        ...

    def list_projects(self) -> list[dict[str, Any]]:
        """List the projects."""
        ...

    def create_project(self, name: str) -> dict[str, Any]:
        """Make a project."""
        ...

    def rename_project(self, project: str, name: str) -> dict[str, Any]:
        """Give a project another name."""
        ...

    def delete_project(self, project: str) -> None:
        """Remove a project."""
        ...


@contextlib.contextmanager
def account(home_given: str | None, store_given: str | None) -> Generator[Account]:
    """Open the way that there is.

    Raises:
        AgentOpsError: neither the server nor the store can be reached.
    """
    from agentops.cli.serve import check_installed

    check_installed()
    from agentops.server.auth.secret import open_secret
    from agentops.server.store.lock import read_owner
    from agentops.server.store.url import StoreUrl

    home = config.home(home_given)
    secret = open_secret(home, config.read("secret"))
    given: str | None = config.read("store", store_given)
    url = StoreUrl.parse(given or f"chdb://{home / 'store'}")
    deadline = time.monotonic() + _EMBEDDED_TRIES_S
    while True:
        if url.path is not None:
            owner = read_owner(url.path.with_name(url.path.name + ".lock"))
            if owner.url and (found := _reached(_Remote(owner.url, secret))):
                yield found
                return
        opened: Any = None
        try:
            from agentops.server.store.opening import open_store

            opened = open_store(url)
        except StoreError:
            # A server that is starting holds the store and does not answer yet.
            if url.path is None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
            continue
        try:
            yield _local(opened.store, home, secret)
        finally:
            opened.close()
        return


def _reached(remote: _Remote) -> _Remote | None:
    try:
        remote.ask("GET", "/api/projects")
    except OSError:
        return None
    return remote


class _Remote:
    """The running server, over HTTP."""

    def __init__(self, url: str, secret: Any) -> None:
        self._url = urlsplit(url)
        self._secret = secret

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer.

        Raises:
            AgentOpsError: the server refused; its message and hint.
            OSError: it does not answer.
        """
        from agentops.server.auth.registry import operator_token

        host = self._url.hostname or "127.0.0.1"
        # A server that listens everywhere is asked on this machine.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- asked, not served
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        if self._url.scheme == "https":
            # The store's lock says that this address is our own server; its certificate may name another.
            trust = ssl.create_default_context()
            trust.check_hostname = False
            trust.verify_mode = ssl.CERT_NONE
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=_TIMEOUT_S, context=trust
            )
        else:
            line = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {operator_token(self._secret)}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            line.request(method, path, msgspec.json.encode(body) if body is not None else None, headers)
            answer = line.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from None
        finally:
            line.close()
        if answer.status == 401:
            raise AgentOpsError(
                f"The server at {self._url.geturl()} has another secret than this command. "
                "Give the command the AGENTOPS_SECRET that the server has."
            )
        if answer.status >= 400:
            try:
                said = msgspec.json.decode(text)["error"]
            except (msgspec.DecodeError, KeyError, TypeError):
                said = {"code": "", "message": f"The server answered {answer.status}.", "hint": ""}
            hint = _HINTS.get(said["code"], said["hint"])
            raise AgentOpsError(f"{said['message']} {hint}".strip())
        return msgspec.json.decode(text) if text else None

    def create_key(self, **wish: Any) -> dict[str, Any]:
        return self.ask(
            "POST", "/api/keys", {name: value for name, value in wish.items() if value is not None}
        )

    def list_keys(self, project: str) -> list[dict[str, Any]]:
        names = [project] if project else [one["project_id"] for one in self.list_projects()]
        return [
            key
            for name in names
            for key in self.ask("GET", "/api/keys?" + urlencode({"project": name}))["keys"]
        ]

    def revoke_key(self, key_id: str) -> dict[str, Any]:
        return self.ask("DELETE", f"/api/keys/{_path_of(key_id)}")

    def rotate_key(self, key_id: str) -> dict[str, Any]:
        return self.ask("POST", f"/api/keys/{_path_of(key_id)}/rotate")

    def list_projects(self) -> list[dict[str, Any]]:
        return self.ask("GET", "/api/projects")["projects"]

    def create_project(self, name: str) -> dict[str, Any]:
        return self.ask("POST", "/api/projects", {"name": name})

    def rename_project(self, project: str, name: str) -> dict[str, Any]:
        return self.ask("PATCH", f"/api/projects/{self._id_of(project)}", {"name": name})

    def delete_project(self, project: str) -> None:
        self.ask("DELETE", f"/api/projects/{self._id_of(project)}")

    def _id_of(self, project: str) -> str:
        for one in self.list_projects():
            if project in (one["project_id"], one["name"]):
                return quote(one["project_id"], safe="")
        raise AgentOpsError(
            f"There is no project {project!r}. `agentops projects list` shows the projects there are."
        )


def _path_of(key_id: str) -> str:
    beginning = key_id.strip()[:8]
    if not beginning.isalnum():
        # An empty one, or one with a slash, would ask for another route.
        raise AgentOpsError(_NO_KEY.format(key_id[:8]))
    return quote(beginning, safe="")


def _local(store: Any, home: Path, secret: Any) -> Account:
    from agentops.server.auth.local import LocalAccount

    return LocalAccount(store, home, secret)
