"""Environments beside that of the checks, made on demand from their locks as the scripts make theirs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent


def integration_python(name: str) -> Path:
    """Return the Python of an environment of scripts/integrations.py."""
    return _script("integrations").environment(name)


def client_python(version: str) -> Path:
    """Return the Python of the environment of a published client: they take the import name `agentops`."""
    lock = ROOT / "requirements" / f"clients-{version}.txt"
    return _script("packages").environment(ROOT / "build" / "clients" / version, lock, checkout=False)


def _script(name: str) -> Any:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
