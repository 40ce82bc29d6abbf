"""Sessions as a zip archive, a file for each, packed while it is sent."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from typing import Final

from agentops.server.query.export import Exportable, Sink, exported, file_name
from agentops.server.store.client import Store

ZIP: Final = "application/zip"
_PACKING: Final = 1


def archived(store: Store, many: Iterable[Exportable], form: str) -> Iterator[bytes]:
    """Yield the bytes of a zip archive with each session's export in one of FORMATS."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACKING) as archive:
        for one in many:
            with archive.open(file_name(one.scope.session_id, form), "w") as file:
                for piece in exported(store, one, form):
                    file.write(piece)
                    yield sink.taken()
    yield sink.taken()
