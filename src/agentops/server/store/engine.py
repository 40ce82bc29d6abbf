"""Loading the embedded engine's library, and nothing that it can do without.

chDB takes pyarrow, and with it numpy, as an option for tables of Arrow; rows pass here as JSON. Left out, the
server starts a quarter of a second sooner and is 40 MB lighter.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import cast


def load_engine() -> None:
    """Import chDB without pyarrow, which stays importable afterwards."""
    if "chdb" in sys.modules or "pyarrow" in sys.modules:
        import chdb  # pyright: ignore[reportUnusedImport] -- for its effect

        return
    map_library()
    # None makes an import fail as if the package were not installed, which chDB is written for.
    sys.modules["pyarrow"] = cast(ModuleType, None)
    try:
        import chdb  # noqa: F401  # pyright: ignore[reportUnusedImport] -- for its effect
    finally:
        del sys.modules["pyarrow"]


def map_library() -> None:
    """Map the engine's half a gigabyte of library without holding Python's lock, as an import would.

    The import that follows finds it mapped. When anything is not as expected here, that import maps it.
    """
    with contextlib.suppress(Exception):
        spec = importlib.util.find_spec("chdb")
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for library in Path(folder).glob("_chdb*.so"):
                loader = ctypes.CDLL(None).dlopen
                loader.argtypes = (ctypes.c_char_p, ctypes.c_int)
                loader.restype = ctypes.c_void_p
                loader(os.fsencode(library), os.RTLD_NOW)
