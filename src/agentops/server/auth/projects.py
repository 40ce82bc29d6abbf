"""Projects: who shares what they recorded. A project has an id that stays and a name that may change."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentops.errors import AgentOpsError
from agentops.server.auth.caller import DEFAULT_PROJECT
from agentops.server.store.client import Store
from agentops.server.store.edits import forget

_LONGEST_NAME: Final = 100


class NoSuchProject(AgentOpsError):
    """There is no such project."""


class Project(Struct, frozen=True, kw_only=True):
    """A row of projects. `created_at` is unix nanoseconds."""

    project: str
    name: str
    created_at: int
    retention_days: int = 0
    deleted: bool = False
    version: int = 0


def _after(project: Project) -> int:
    """Return the version of what replaces a row; another server's clock may be ahead of ours."""
    return max(time.time_ns(), project.version + 1)


class Projects:
    """All projects of a store. Safe to use from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        """Held from looking at what there is to writing what becomes of it."""
        self._by_id: dict[str, Project] = {}

    def reload(self) -> None:
        """Read all projects from the store."""
        rows = self._store.rows("SELECT * FROM projects FINAL", None, Project)
        with self._lock:
            for row in rows:
                known = self._by_id.get(row.project)
                if known is None or row.version > known.version:
                    self._by_id[row.project] = row

    def listed(self) -> list[Project]:
        """Return the projects, the first one first, then by name."""
        with self._lock:
            found = {DEFAULT_PROJECT: Project(project=DEFAULT_PROJECT, name=DEFAULT_PROJECT, created_at=0)}
            found |= self._by_id
        return sorted(
            (one for one in found.values() if not one.deleted),
            key=lambda one: (one.project != DEFAULT_PROJECT, one.name.lower()),
        )

    def named(self, text: str) -> Project:
        """Return the project of a name or an id.

        Raises:
            NoSuchProject: there is none.
        """
        for one in self.listed():
            if text in (one.project, one.name):
                return one
        raise NoSuchProject(
            f"There is no project {text!r}. `agentops projects list` shows the projects there are."
        )

    def exists(self, project_id: str) -> bool:
        """Return whether there is a project of this id."""
        known = self._by_id.get(project_id)
        return not known.deleted if known is not None else project_id == DEFAULT_PROJECT

    def create(self, name: str) -> Project:
        """Make a project.

        Raises:
            AgentOpsError: the name is taken, empty or too long.
        """
        now = time.time_ns()
        with self._turn:
            fresh = Project(project=str(uuid.uuid4()), name=self._usable(name), created_at=now, version=now)
            self._write(fresh)
        return fresh

    def rename(self, project: Project, name: str) -> Project:
        """Give a project another name; its id, its keys and its sessions stay."""
        with self._turn:
            now = self._now(project)
            if name.strip() == now.name:
                return now
            renamed = replace(now, name=self._usable(name), version=_after(now))
            self._write(renamed)
        return renamed

    def keep(self, project: Project, days: int) -> Project:
        """Say how many days a project's sessions are kept; 0: as the setting says."""
        with self._turn:
            now = self._now(project)
            kept = replace(now, retention_days=days, version=_after(now))
            self._write(kept)
        return kept

    def delete(self, project: Project) -> None:
        """Remove a project and everything that was recorded in it.

        Raises:
            AgentOpsError: it is the first project, which a server always has.
        """
        if project.project == DEFAULT_PROJECT:
            raise AgentOpsError("The first project cannot be deleted. Delete its sessions, or rename it.")
        with self._turn:
            now = self._now(project)
            self._write(replace(now, deleted=True, version=_after(now)))
        forget(self._store, [project.project])

    def _usable(self, name: str) -> str:
        wanted = name.strip()
        if not wanted or len(wanted) > _LONGEST_NAME or not wanted.isprintable():
            raise AgentOpsError(
                f"name: {wanted[:_LONGEST_NAME]!r} cannot be used. "
                f"Use 1 to {_LONGEST_NAME} printable characters."
            )
        if any(wanted in (one.name, one.project) for one in self.listed()):
            raise AgentOpsError(f"name: there is a project {wanted!r} already. Choose another name.")
        return wanted

    def _now(self, project: Project) -> Project:
        """Return a project as it is now: another request may have changed it since it was looked up."""
        with self._lock:
            return self._by_id.get(project.project, project)

    def _write(self, project: Project) -> None:
        self._store.insert("projects", [msgspec.json.encode(project)])
        with self._lock:
            self._by_id[project.project] = project
