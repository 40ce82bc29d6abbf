"""What a pool's worker runs: importable, as spawned children need it."""

from __future__ import annotations

import agentops
from agentops import ActionEvent


def act_in_session(work: tuple[int, str]) -> int:
    """Record one event in a session that another process started, forked from it or not."""
    number, session_id = work
    agentops.init(inherited_session_id=session_id)
    agentops.record(ActionEvent(f"n-{number}", returns="x"))
    return number
