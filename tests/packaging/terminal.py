"""A program in a terminal of its own: what it shows is read, keys are typed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.waiting import eventually

# Makes the terminal the controlling one, as a shell has it, and becomes the program.
_ENTER = "import os, sys; os.login_tty(int(sys.argv[1])); os.execvp(sys.argv[2], sys.argv[2:])"


class Terminal:
    """A pseudo-terminal with a program in its foreground, for the length of a `with` block."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self._keys, inside = os.openpty()
        self._output = bytearray()
        self.program = subprocess.Popen(
            [sys.executable, "-c", _ENTER, str(inside), *command], env=dict(env), cwd=cwd, pass_fds=[inside]
        )
        os.close(inside)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while piece := os.read(self._keys, 65536):
                self._output += piece
        except OSError:
            pass  # Linux reports EIO, not an end, when the last program has left the terminal.

    @property
    def text(self) -> str:
        """Everything shown so far."""
        return self._output.decode(errors="replace")

    def type(self, keys: bytes) -> None:
        """Type keys, as bytes: 3 is Ctrl-C."""
        os.write(self._keys, keys)

    def shows(self, text: str, within_s: float) -> None:
        """Wait until a text was shown."""

        def look() -> bool:
            assert text in self.text, f"{text!r} was not shown:\n{self.text}"
            return True

        eventually(look, within_s=within_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.program.poll() is None:
            self.type(b"\x03")
            try:
                self.program.wait(25)
            except subprocess.TimeoutExpired:
                self.program.kill()
                self.program.wait()
        self._reader.join(5)
        os.close(self._keys)
