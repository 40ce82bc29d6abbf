"""Loading the embedded engine's library, and nothing that it can do without.

chDB takes pyarrow, and with it numpy, as an option for tables of Arrow; rows pass here as JSON. Left out, the
server starts a quarter of a second sooner and is 40 MB lighter.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast


def load_engine() -> None:
    """Import chDB without pyarrow, which stays importable afterwards."""
    if "chdb" in sys.modules or "pyarrow" in sys.modules:
        import chdb  # pyright: ignore[reportUnusedImport] -- for its effect

        return
    # None makes an import fail as if the package were not installed, which chDB is written for.
    sys.modules["pyarrow"] = cast(ModuleType, None)
    try:
        import chdb  # noqa: F401  # pyright: ignore[reportUnusedImport] -- for its effect
    finally:
        del sys.modules["pyarrow"]
