"""Reading other people's spans: `normalise` and `normalise_log` are pure and never raise."""

from agentops.server.normalise.attributes import restored
from agentops.server.normalise.event import Event, Log
from agentops.server.normalise.logs import completed, normalise_log
from agentops.server.normalise.spans import normalise

__all__ = ["Event", "Log", "completed", "normalise", "normalise_log", "restored"]
