"""Figures: what the server says about a session, asked within a bounded time.

A program that ends a session is told its cost, and a recorder may not make it wait for long: after the server
did not answer, nobody waits for it again for a while.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from agentops.clock import monotonic

if TYPE_CHECKING:
    from agentops.sdk.core import Core
    from agentops.shipper import Client as Http
    from agentops.shipper import Shipper

FLUSH_WAIT_S: Final = 1.5
"""Longest wait for the server to take what was recorded; two seconds with the exit after it."""
ANSWER_WAIT_S: Final = 1.0
"""Longest wait for its answer about a session, then."""
AWAY_S: Final = 5.0
"""After the server did not answer, how long nobody waits for it again."""
AWAY_WAIT_S: Final = 0.25
"""Longest wait for its answer, or delay of the exit, within that time."""
_MAX_COSTS: Final = 1024


class Figures:
    """Asks the server about sessions, and remembers what they cost."""

    def __init__(self) -> None:
        self._away_until = 0.0
        self._silent = False
        self._costs: dict[str, Decimal] = {}

    def cost(self, core: Core) -> Decimal:
        """Return a session's cost as last heard from the server, else the costs reported here."""
        return self._costs.get(core.text, core.cost)

    def exit_wait(self, timeout_s: float) -> float:
        """Return how long the exit may wait: less when the server took nothing while a call waited for it."""
        return min(timeout_s, AWAY_WAIT_S) if self._silent and monotonic() < self._away_until else timeout_s

    def ask(
        self, shipper: Shipper, http: Http, server: str, headers: dict[str, str], session_id: str
    ) -> dict[str, Any] | None:
        """Return a session as the server has it, flushing first; None when it does not answer in time."""
        from agentops.shipper import ConnectionFailed

        now = monotonic()
        away = now < self._away_until
        before = shipper.stats().records
        if not shipper.flush(0.02 if away else FLUSH_WAIT_S):
            self._away_until = now + AWAY_S
            # Slow is not silent: what it takes, it is worth waiting for.
            self._silent = shipper.stats().records == before
            return None
        url = f"{server}/api/sessions/{session_id}"
        try:
            answer = http.request(
                "GET", url, headers=headers, timeout_s=AWAY_WAIT_S if away else ANSWER_WAIT_S
            )
            found: Any = json.loads(answer.body) if answer.status == 200 else None
        except (ConnectionFailed, ValueError, RecursionError):
            self._away_until = now + AWAY_S
            return None
        self._away_until = 0.0
        if not _is_session(found):
            return None
        cost = found.get("cost_usd")
        if cost is not None:
            self._costs[session_id] = Decimal(str(round(cost, 12)))
            while len(self._costs) > _MAX_COSTS:
                self._costs.pop(next(iter(self._costs)))
        return found


def _is_session(found: Any) -> bool:
    """Say whether an answer is a session: what stands at the server's address may say anything."""
    if not isinstance(found, dict):
        return False
    answer = cast("dict[str, Any]", found)
    cost, counts = answer.get("cost_usd"), answer.get("event_counts")
    return (cost is None or (isinstance(cost, int | float) and math.isfinite(cost))) and (
        isinstance(counts, dict)
        and all(isinstance(one, int) for one in cast("dict[str, Any]", counts).values())
    )
