"""A text that comes in pieces, held in blocks: many small texts take many times the memory of one."""

from __future__ import annotations

from typing import Final

BLOCK: Final = 256
"""Pieces that are put together at once."""


class Written:
    """A text that grows. Of `io.StringIO` up to a hundred thousand pieces are kept."""

    __slots__ = ("_blocks", "_pieces")

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._pieces: list[str] = []

    def write(self, piece: str) -> None:
        """Add a piece."""
        pieces = self._pieces
        pieces.append(piece)
        if len(pieces) >= BLOCK:
            self._blocks.append("".join(pieces))
            pieces.clear()

    def __str__(self) -> str:
        return "".join((*self._blocks, *self._pieces))
