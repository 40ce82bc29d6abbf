"""Build the dashboard into the package, when its sources have changed.

Usage: python scripts/frontend.py [--force]

Vite writes to src/agentops/server/static, which git ignores and the wheel contains.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import node
import steps

SOURCES = steps.ROOT / "dashboard"
BUILT = steps.ROOT / "src" / "agentops" / "server" / "static"
_NOT_SOURCES = {"node_modules", "dist", ".vite", "coverage"}


def sources() -> Iterator[Path]:
    """Yield every file that the build depends on."""
    folders = [SOURCES]
    while folders:
        for entry in folders.pop().iterdir():
            if entry.is_dir():
                if entry.name not in _NOT_SOURCES:
                    folders.append(entry)
            elif entry.suffix != ".tsbuildinfo":
                yield entry


def install(env: Mapping[str, str]) -> None:
    """Install the locked npm packages, when the lock has changed."""
    state = steps.digest([SOURCES / "package-lock.json", SOURCES / "package.json"])
    stamp = SOURCES / "node_modules" / ".agentops.stamp"
    if steps.is_done(stamp, state):
        return
    steps.run(
        "Installing the dashboard's packages", ["npm", "ci", "--no-audit", "--no-fund"], cwd=SOURCES, env=env
    )
    steps.mark_done(stamp, state)


def build(*, force: bool = False) -> None:
    """Build the dashboard unless what is built came from these very sources."""
    state = steps.digest(sources())
    stamp = steps.ROOT / "build" / "dashboard.stamp"
    if not force and (BUILT / "index.html").exists() and steps.is_done(stamp, state):
        return
    env = node.environment()
    install(env)
    steps.run("Building the dashboard", ["npm", "run", "build"], cwd=SOURCES, env=env)
    if not (BUILT / "index.html").exists():
        raise steps.StepFailed(f"The dashboard's build left no index.html in {BUILT}.")
    steps.mark_done(stamp, state)


if __name__ == "__main__":
    try:
        build(force="--force" in sys.argv[1:])
    except steps.StepFailed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
