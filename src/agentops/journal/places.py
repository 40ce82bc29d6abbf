"""Places: where segments are made. The journal's folder, else the fallback folder, else none for now.

A place that failed is left alone for `RETRY_S`, then tried again. Each failure is said once, by whoever takes
`to_say`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from agentops.clock import monotonic
from agentops.journal import limit
from agentops.journal.folder import make_fallback, make_private
from agentops.journal.header import Header
from agentops.journal.losses import Losses
from agentops.journal.segment import Segment

Place = Literal["", "home", "fallback", "memory"]

RETRY_S: Final = 1.0
_FOLDERS: Final[tuple[Place, ...]] = ("home", "fallback")


class Places:
    """The folders of one journal; guarded by the journal's lock.

    Attributes:
        current: Where the last segment was made; `memory` when none could be, empty before the first.
        folder_used: The folder of the last segment.
        to_say: Messages for people that nobody has logged yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._retry_at: dict[Place, float] = dict.fromkeys(_FOLDERS, 0.0)
        self._said: set[str] = set()
        self.current: Place = ""
        self.folder_used = folder
        self.to_say: list[str] = []

    def new_segment(self, header: Header, max_bytes: int, losses: Losses) -> Segment | None:
        """Make a segment at the first place that takes one, where others may take `max_bytes` together."""
        for place in _FOLDERS:
            if monotonic() < self._retry_at[place]:
                continue
            try:
                if place == "home":
                    make_private(self._folder)
                    folder = self._folder
                else:
                    folder = make_fallback(self._folder)
                lost = limit.enforce(folder, max_bytes, losses)
                if lost:
                    self.say_once(
                        "limit",
                        f"The journal in {folder} is full: the {lost} oldest records that no server had "
                        "taken were dropped. Further ones are only counted (`agentops doctor` shows them). "
                        "Start a server, or allow more with AGENTOPS_JOURNAL_MAX_BYTES.",
                    )
                segment = Segment.create(folder, header)
            except OSError as error:
                self._leave(place, error)
                continue
            self.current = place
            self.folder_used = folder
            return segment
        self.current = "memory"
        return None

    def failed(self, error: OSError) -> None:
        """Leave the current place alone for a while: a write to its segment has failed."""
        if self.current in self._retry_at:
            self._leave(self.current, error)

    def try_again(self) -> None:
        """Forget that places have failed."""
        self._retry_at = dict.fromkeys(_FOLDERS, 0.0)

    def say_once(self, topic: str, message: str) -> None:
        """Add a message about a topic, unless there was one."""
        if topic not in self._said:
            self._said.add(topic)
            self.to_say.append(message)

    def _leave(self, place: Place, error: OSError) -> None:
        self._retry_at[place] = monotonic() + RETRY_S
        reason = error.strerror or str(error)
        if place == "home":
            self.say_once(
                place,
                f"The journal in {self._folder} cannot be written ({reason}). Records go to a temporary "
                "folder instead, or to memory. Free the disk or set AGENTOPS_HOME to a folder that can be "
                "written.",
            )
        else:
            self.say_once(place, f"The temporary folder cannot be written either ({reason}).")
