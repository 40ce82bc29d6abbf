r"""Letters that JSON text writes as `\uXXXX`, as most writers of JSON in Python do with all beyond ASCII.

Such a text is stored with its letters, which are found in any letter case and take half the room, and is
written as it was received where that is asked for.
"""

from __future__ import annotations

import re
from typing import Final

_WRITTEN: Final = re.compile(r"((?:\\u(?!00[0-7])[0-9a-f]{4})+)|\\.", re.DOTALL)
_LETTERS: Final = re.compile(r"[^\x00-\x7f]+")


def plain(text: str) -> str:
    """Return JSON text with its letters, or the very text where `escaped` would not make it again."""
    # One letter is looked for many times faster than two, and few texts have it.
    if "\\" not in text or "\\u" not in text or not text.isascii():
        return text
    found = _WRITTEN.sub(_letters, text)
    return text if found.isascii() or escaped(found) != text else found


def escaped(text: str) -> str:
    """Return JSON text in ASCII only."""
    return _LETTERS.sub(_codes, text)


def _letters(written: re.Match[str]) -> str:
    if written[1] is None:
        return written[0]
    try:
        return bytes.fromhex(written[1].replace("\\u", "")).decode("utf-16-be")
    except UnicodeDecodeError:
        return written[0]  # Half of a pair stays as it is written.


def _codes(letters: re.Match[str]) -> str:
    codes = letters[0].encode("utf-16-be").hex()
    return "".join(f"\\u{codes[start : start + 4]}" for start in range(0, len(codes), 4))
