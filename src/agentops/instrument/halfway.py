"""Modules of an instrumentor that are half imported, because their import has brought the library along.

Such a module lacks what comes after its imports, and the instrumentor that needs it could not be enabled. So
it is imported once more, from the start, and that is the one which everybody gets, whoever waits for the
first import included: Python hands out what `sys.modules` holds when that is over.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager


@contextmanager
def afresh(packages: Iterable[str]) -> Generator[None]:
    """Let the half imported modules of packages be imported anew, for a while."""
    inside = tuple(f"{package}." for package in packages)
    half = {
        name: module
        for name, module in list(sys.modules.items())
        if f"{name}.".startswith(inside) and _is_half_imported(module)
    }
    for name in half:
        del sys.modules[name]
    try:
        yield
    finally:
        for name, module in half.items():
            sys.modules.setdefault(name, module)


def _is_half_imported(module: object) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
