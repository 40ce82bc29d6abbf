"""AgentOps: record the sessions of your AI agents and see them, live, on your own machine.

import agentops

agentops.init(tags=["production"])
"""

from agentops.errors import MultiSessionException, NoSessionException
from agentops.sdk.compat import record_action, record_function, record_tool, track_agent, track_tool
from agentops.sdk.decorators import (
    agent,
    guardrail,
    operation,
    session,
    task,
    tool,
    trace,
    track_endpoint,
    workflow,
)
from agentops.sdk.events import ActionEvent, ErrorEvent, Event, LLMEvent, ToolEvent
from agentops.sdk.functions import (
    add_tags,
    configure,
    create_agent,
    current_session,
    end_all_sessions,
    end_session,
    get_api_key,
    get_session,
    init,
    record,
    set_api_key,
    set_parent_key,
    set_tags,
    start_session,
    stop_instrumenting,
)
from agentops.sdk.hostenv import version as _version
from agentops.sdk.session import Session
from agentops.sdk.traces import (
    ERROR,
    SUCCESS,
    UNSET,
    TraceContext,
    TraceState,
    ValidationError,
    end_trace,
    print_validation_summary,
    start_trace,
    update_trace_metadata,
    validate_trace_spans,
)

__all__ = [
    "ERROR",
    "SUCCESS",
    "UNSET",
    "ActionEvent",
    "ErrorEvent",
    "Event",
    "LLMEvent",
    "MultiSessionException",
    "NoSessionException",
    "Session",
    "ToolEvent",
    "TraceContext",
    "TraceState",
    "ValidationError",
    "add_tags",
    "agent",
    "configure",
    "create_agent",
    "current_session",
    "end_all_sessions",
    "end_session",
    "end_trace",
    "get_api_key",
    "get_session",
    "guardrail",
    "init",
    "operation",
    "print_validation_summary",
    "record",
    "record_action",
    "record_function",
    "record_tool",
    "session",
    "set_api_key",
    "set_parent_key",
    "set_tags",
    "start_session",
    "start_trace",
    "stop_instrumenting",
    "task",
    "tool",
    "trace",
    "track_agent",
    "track_endpoint",
    "track_tool",
    "update_trace_metadata",
    "validate_trace_spans",
    "workflow",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'agentops' has no attribute {name!r}")
