"""What a session says about the machine and process it runs on: read once, cheap, no subprocess."""

from __future__ import annotations

import functools
import os
import platform
import socket
import sys
from importlib import metadata
from typing import Any


@functools.cache
def version() -> str:
    """Return this package's version."""
    try:
        return metadata.version("agentops")
    except metadata.PackageNotFoundError:
        return "0"


@functools.cache
def host_env() -> dict[str, Any]:
    """Return operating system, hardware, Python and process, as far as this process knows them."""
    return {
        "SDK": {"AgentOps SDK Version": version(), "Python Version": platform.python_version()},
        "OS": {
            "Hostname": socket.gethostname(),
            "OS": platform.system(),
            "OS Release": platform.release(),
            "OS Version": platform.version(),
            "Machine": platform.machine(),
        },
        "CPU": {"Total cores": os.cpu_count()},
        "RAM": {"Total bytes": _memory()},
        "Process": {
            "Executable": sys.executable,
            "Implementation": platform.python_implementation(),
            "Working Directory": _folder(),
            "Virtual Environment": os.environ.get("VIRTUAL_ENV")
            or (sys.prefix if sys.prefix != sys.base_prefix else None),
        },
    }


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None
