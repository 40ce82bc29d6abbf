"""The mark that whoever wrote to an embedded store last left every session row up to date.

It stands in the store's own folder, so that it goes wherever the store goes, and only while nobody writes:
who starts to write takes it away, and a crash leaves none.
"""

from __future__ import annotations

from contextlib import suppress

from agentops.server.store.url import StoreUrl


class Settled:
    """The mark of one store. A store that others write to has none."""

    def __init__(self, url: StoreUrl) -> None:
        self._path = url.path / "settled" if url.path is not None else None

    def take(self) -> bool:
        """Take the mark away; return whether it was there."""
        if self._path is None:
            return False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def leave(self) -> None:
        """Put the mark there."""
        if self._path is not None:
            with suppress(OSError):  # Without it the next start looks for what is not summarised.
                self._path.touch(mode=0o600)
