"""The shipper: takes records from the journal to a server, and tells the journal what has arrived.

`Shipper` is the recording process's one background thread; `drain_orphans` is the same delivery for the
server on this machine, which needs neither thread nor HTTP; `Client` is the small HTTP client that both ends
of the SDK share.
"""

from agentops.shipper.backlog import Drained, drain_orphans
from agentops.shipper.http import Client, ConnectionFailed, Response
from agentops.shipper.outcome import ACCEPTED, Outcome, Signal, outcome_of
from agentops.shipper.target import Target
from agentops.shipper.worker import Shipper, ShipperStats

__all__ = [
    "ACCEPTED",
    "Client",
    "ConnectionFailed",
    "Drained",
    "Outcome",
    "Response",
    "Shipper",
    "ShipperStats",
    "Signal",
    "Target",
    "drain_orphans",
    "outcome_of",
]
