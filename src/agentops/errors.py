"""The errors that AgentOps raises on purpose.

    AgentOpsError
    ├── NoSessionException        an SDK call that needs a session was made while none existed
    ├── MultiSessionException     an SDK call did not say which of several sessions it means
    ├── SettingError              a setting has a value that cannot be used (also a ValueError)
    └── StoreError                the server's store cannot be opened or used

`agentops.exceptions` re-exports the two session exceptions. Beside them only wrong arguments raise into a
recorded program.
"""

from __future__ import annotations


class AgentOpsError(Exception):
    """Base of every error that AgentOps raises on purpose."""


class NoSessionException(AgentOpsError):
    """A session action was attempted while no session existed on the client."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "A session action was attempted while no session existed on the client. "
            "Start one with agentops.init() or agentops.start_session()."
        )


class MultiSessionException(AgentOpsError):
    """A call on the SDK base was made while more than one session was active."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "If multiple sessions exist, you must use session.function(). "
            "Example: session.add_tags(...) instead of agentops.add_tags(...). "
            "For an LLM call use session.patch(function)(...), or make it inside `with session:`."
        )


class SettingError(AgentOpsError, ValueError):
    """A setting has a value that cannot be used; the message names the setting and the fix."""


class StoreError(AgentOpsError):
    """The server's store cannot be opened or used; the message names the store and the fix."""
