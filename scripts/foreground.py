"""Let a command that `make` started own the terminal, so that Ctrl-C ends the command and not `make`.

A Ctrl-C goes to every process of the terminal's foreground group. `make` would answer it with "Interrupt" and
an error, however cleanly the command ends. So the command runs in a group of its own, in the foreground, as a
shell does it with its jobs; this process stays in the group of `make` and passes on what reaches it there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType


def owns_terminal() -> bool:
    """Return whether this process is in the foreground of a terminal."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def run(command: Sequence[str]) -> int:
    """Run a command in the foreground of the terminal and return its exit code (128 + n after signal n)."""
    terminal = sys.stdin.fileno()
    child = subprocess.Popen(command, process_group=0)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    # Taking the terminal back is done from the background, which is stopped for it unless it ignores this.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(terminal, child.pid)
    try:
        while True:
            _, status = os.waitpid(child.pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                child.returncode = code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            # Ctrl-Z: stop with the child, so that the shell sees its job stopped; go on together.
            os.tcsetpgrp(terminal, os.getpgrp())
            os.kill(0, signal.SIGTSTP)
            if owns_terminal():
                os.tcsetpgrp(terminal, child.pid)
            os.killpg(child.pid, signal.SIGCONT)
    finally:
        try:
            os.tcsetpgrp(terminal, os.getpgrp())
        except OSError:
            pass  # The terminal was closed.
