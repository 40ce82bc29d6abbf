"""Keys and projects of a store that no server holds: what the HTTP API answers, without a server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from agentops.errors import AgentOpsError
from agentops.server.auth.keys import Key, scope_of
from agentops.server.auth.projects import Project
from agentops.server.auth.registry import Auth
from agentops.server.auth.secret import Secret
from agentops.server.auth.shown import shown_key, shown_project
from agentops.server.store.client import Store

_DAY_NS: Final = 86_400 * 10**9


class LocalAccount:
    """Answers as the routes under /api/keys and /api/projects do."""

    def __init__(self, store: Store, home: Path, secret: Secret) -> None:
        self._auth = Auth(store, home, required=True, secret=secret)
        self._auth.load()

    def create_key(self, **wish: Any) -> dict[str, Any]:
        """Make a key.

        Raises:
            AgentOpsError: the store's servers would not know it.
        """
        self._same_secret()
        project = self._auth.projects.named(wish.get("project") or "default")
        days = wish.get("expires_in_days")
        text, key = self._auth.keys.create(
            project.project,
            wish.get("name", ""),
            scope_of(wish["scope"].split(",")),
            expires_at=time.time_ns() + int(days * _DAY_NS) if days else 0,
            quota_bytes=wish.get("quota_bytes_per_minute") or 0,
        )
        self._note("key.created", key, created=key.prefix, scope=key.scope)
        return {**shown_key(key), "key": text}

    def list_keys(self, project: str) -> list[dict[str, Any]]:
        """List keys."""
        wanted = self._auth.projects.named(project).project if project else None
        return [shown_key(key) for key in self._auth.keys.listed(wanted)]

    def revoke_key(self, key_id: str) -> dict[str, Any]:
        """End a key."""
        key = self._auth.keys.revoke(self._auth.keys.named(key_id))
        self._note("key.revoked", key, revoked=key.prefix)
        return shown_key(key)

    def rotate_key(self, key_id: str) -> dict[str, Any]:
        """Replace a key."""
        self._same_secret()
        before = self._auth.keys.named(key_id)
        text, key = self._auth.keys.rotate(before)
        self._note("key.rotated", key, revoked=before.prefix, created=key.prefix)
        return {**shown_key(key), "key": text}

    def list_projects(self) -> list[dict[str, Any]]:
        """List the projects."""
        return [shown_project(one) for one in self._auth.projects.listed()]

    def create_project(self, name: str) -> dict[str, Any]:
        """Make a project."""
        made = self._auth.projects.create(name)
        self._note_project("project.created", made)
        return shown_project(made)

    def rename_project(self, project: str, name: str) -> dict[str, Any]:
        """Give a project another name."""
        renamed = self._auth.projects.rename(self._auth.projects.named(project), name)
        self._note_project("project.renamed", renamed)
        return shown_project(renamed)

    def delete_project(self, project: str) -> None:
        """Remove a project, its keys and all that was recorded in it."""
        wanted = self._auth.projects.named(project)
        self._auth.delete_project(wanted)
        self._note_project("project.deleted", wanted)

    def _same_secret(self) -> None:
        # A store on this machine is its home's: there a new secret means that the old one was lost.
        if not self._auth.store.url.embedded and self._auth.keys.others():
            raise AgentOpsError(
                "The keys of this store were made with another secret: its servers would not know the new "
                "one. Give this command the AGENTOPS_SECRET that they have; if it is lost, revoke the old "
                "keys first."
            )

    def _note(self, what: str, key: Key, **said: Any) -> None:
        self._auth.audit.note(what, by="this machine", project=key.project, **said)

    def _note_project(self, what: str, project: Project) -> None:
        self._auth.audit.note(what, by="this machine", project=project.project, name=project.name)
