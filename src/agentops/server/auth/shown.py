"""Keys and projects as the API and the command line show them."""

from __future__ import annotations

import time
from typing import Any

from agentops.server.auth.keys import Key
from agentops.server.auth.projects import Project
from agentops.server.query.times import iso


def shown_key(key: Key) -> dict[str, Any]:
    """Return what may be seen of a key."""
    state = "active" if key.alive(time.time_ns()) else "revoked" if key.revoked else "expired"
    return {
        "key_id": key.prefix,
        "name": key.name,
        "project_id": key.project,
        "scopes": key.scope.split(","),
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at) if key.expires_at else None,
        "last_used_at": iso(key.used_at) if key.used_at else None,
        "quota_bytes_per_minute": key.quota_bytes or None,
        "state": state,
    }


def shown_project(project: Project) -> dict[str, Any]:
    """Return what may be seen of a project."""
    return {"project_id": project.project, "name": project.name, "created_at": iso(project.created_at)}
