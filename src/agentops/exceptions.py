"""The two exceptions a recorded program may see, under the name its users know."""

from agentops.errors import MultiSessionException, NoSessionException

__all__ = ["MultiSessionException", "NoSessionException"]
