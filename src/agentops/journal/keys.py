"""Keys that a server has refused, by their fingerprint: what was recorded under them is anybody's to ship.

A segment names the key it was recorded under (`Header.owner`), so that no other project's process ships it.
But a wrong key has no project, and its records would wait for ever: once a server has refused it, the next
process of this home whose own key the same server accepts takes them along.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "refused.keys"
_MOST: Final = 100
Key = tuple[str, str]
"""(endpoint, owner)."""
_decoder: Final = msgspec.json.Decoder(list[Key])


def refused_keys(folder: Path) -> frozenset[Key]:
    """Return the refused keys that the folder knows of; none when it cannot be read."""
    try:
        return frozenset(_decoder.decode((folder / FILE).read_bytes()))
    except (OSError, msgspec.DecodeError):
        return frozenset()


def note_key(folder: Path, endpoint: str, owner: str, *, refused: bool) -> None:
    """Remember that a server refuses, or does no longer refuse, a key. Never raises.

    Two processes at once may lose one's note: it is made again at the next refusal.
    """
    known = refused_keys(folder)
    key = (endpoint, owner)
    if (key in known) == refused:
        return
    kept = [one for one in known if one != key][: _MOST - 1]
    new = folder / f"{FILE}.{os.getpid()}"
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(fd, msgspec.json.encode([*kept, key] if refused else kept))
        finally:
            os.close(fd)
        if refused or kept:
            os.rename(new, folder / FILE)
        else:
            os.unlink(new)
            os.unlink(folder / FILE)
    except OSError:
        pass  # The records wait for their own key, as they would without this file.
