"""Store URLs: which engine holds the store, and where.

chdb:///absolute/path                               the engine in this process, files under the path
clickhouse://user:password@host:port/db?cluster=c   a ClickHouse server over HTTP; clickhouses:// with TLS
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from agentops.errors import StoreError

_FORMS = "Use chdb:///absolute/path or clickhouse://user:password@host:port/database?cluster=name."


_AUTHORITY: Final = re.compile(r"(clickhouses?://[^:@/?#]*:)(.*)(@[^@]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where a store lives. `path` is set for chDB only; `host` and what follows for ClickHouse only."""

    engine: str
    path: Path | None = None
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    database: str = "default"
    cluster: str = ""
    secure: bool = False

    @property
    def embedded(self) -> bool:
        """Whether the engine runs in this process, which then is the store's only one."""
        return self.engine == "chdb"

    def __str__(self) -> str:
        """Write the URL without its password: it appears in logs, locks and messages."""
        if self.path is not None:
            return f"chdb://{self.path}"
        scheme = "clickhouses" if self.secure else "clickhouse"
        user = f"{self.user}:***@" if self.password else f"{self.user}@" if self.user else ""
        query = f"?cluster={self.cluster}" if self.cluster else ""
        return f"{scheme}://{user}{self.host}:{self.port}/{self.database}{query}"

    @classmethod
    def parse(cls, text: str) -> StoreUrl:
        """Read a store URL.

        Raises:
            StoreError: it is none; the message says which part and shows the right forms.
        """
        parts = urlsplit(_quoted(text))
        if parts.scheme == "chdb":
            if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
                raise StoreError(f"The store URL {text!r} needs three slashes and an absolute path. {_FORMS}")
            # By whichever links it is reached: its lock is beside the folder itself.
            return cls("chdb", path=Path(unquote(parts.path)).resolve())
        if parts.scheme not in ("clickhouse", "clickhouses"):
            raise StoreError(f"The store URL {text!r} names no engine we know. {_FORMS}")
        secure = parts.scheme == "clickhouses"
        options = dict(parse_qsl(parts.query))
        cluster = options.pop("cluster", "")
        if options:
            raise StoreError(f"The store URL has an unknown option {next(iter(options))!r}. {_FORMS}")
        if not cluster.replace("_", "").replace("-", "").isalnum() and cluster:
            raise StoreError("The store URL's cluster may have letters, digits, - and _ only.")
        try:
            port = parts.port
        except ValueError:
            raise StoreError(f"The store URL's port is not a number from 1 to 65535. {_FORMS}") from None
        if not parts.hostname:
            raise StoreError(f"The store URL names no host. {_FORMS}")
        return cls(
            "clickhouse",
            host=parts.hostname,
            port=port or (8443 if secure else 8123),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            cluster=cluster,
            secure=secure,
        )


def _quoted(text: str) -> str:
    """Return a URL whose password holds nothing that ends it: what stands before the last @ is its own."""
    found = _AUTHORITY.fullmatch(text)
    return f"{found[1]}{quote(unquote(found[2]), safe='')}{found[3]}" if found else text
