"""Attribute names that both ends of the wire must agree on.

The recorder writes these; `agentops.server.normalise` reads them, next to the names that other people's
instrumentation uses (those live in its dialect tables, not here).
"""

from __future__ import annotations

from typing import Final

# What every span of ours carries.
SESSION_ID: Final = "session.id"
"""Text of the session's UUID. The session's own trace id has the same 128 bits."""
FRAMEWORK_SESSION: Final = "framework.session.id"
"""An id that a framework, or the program, gives sessions of its own."""
SPAN_KIND: Final = "agentops.span.kind"
"""One of KINDS, or `session` for the session's root span, or `task`/`workflow` (both shown as operation)."""
RECORD_SEQ: Final = "agentops.record.seq"
"""Int from 1: the number of this event among the events of its session recorded by this process.
Given at the event's first record (start or end), kept by its later records. Root spans carry none."""
INPUT: Final = "agentops.entity.input"
"""JSON text of what went in."""
OUTPUT: Final = "agentops.entity.output"
"""JSON text of what came out."""
AGENT_NAME: Final = "gen_ai.agent.name"
"""The agent that an event belongs to; on an agent's own span, itself."""
AGENT_ID: Final = "gen_ai.agent.id"
EVENT_ID: Final = "agentops.event.id"
"""The `id` of a recorded Event object (shown as `source_id`)."""
TAGS: Final = "agentops.tags"
"""Array of text. On a session's root span: the session's tags."""
VERSION: Final = "agentops.entity.version"
LOGS: Final = "agentops.entity.logs"
"""Text a tool or action event logged."""
SCREENSHOT: Final = "agentops.action.screenshot"
TOOL_NAME: Final = "gen_ai.tool.name"
TOTAL_COST: Final = "gen_ai.usage.total_cost"
"""US dollars, reported by the program (a tool's `cost=`, an LLMEvent's `cost`)."""
FIRST_TOKEN_NS: Final = "agentops.llm.first_token_ns"  # noqa: S105 -- a token of text
"""Int: nanoseconds from the call to the first streamed chunk."""
CHARACTERS: Final = "agentops.llm.characters"
"""Int: characters that were spoken, of a call that is billed by them."""
AUDIO_SECONDS: Final = "agentops.llm.audio_seconds"
"""Int: seconds that were listened to, of a call that is billed by them."""
REQUEST_ID: Final = "agentops.llm.request_id"
"""The provider's id of the HTTP request, for its support; not that of the answer."""
RETRIES: Final = "http.request.resend_count"
"""Int: how often the request was sent again. Absent when it was not."""
ERROR_CODE: Final = "agentops.error.code"
ERROR_DETAILS: Final = "agentops.error.details"
TRIGGER_EVENT_ID: Final = "agentops.error.trigger_event_id"
GUARDRAIL_SPEC: Final = "agentops.guardrail.spec"

# What only a session's root span carries.
SESSION_NAME: Final = "agentops.session.name"
"""A name the user chose; the root span's own name is the default."""
END_STATE: Final = "agentops.session.end_state"
"""Success, Fail or Indeterminate; absent while the session runs."""
END_STATE_REASON: Final = "agentops.session.end_state_reason"
INHERITED: Final = "agentops.session.inherited"
"""True on the root span of a process that contributes to a session it did not start: it may not end it."""
RECORDS_SENT: Final = "agentops.session.records_sent"
"""Int: events of the session recorded by this process so far (its highest RECORD_SEQ)."""
RECORDS_LOST: Final = "agentops.session.records_lost"
"""JSON text: records that this process has counted as lost so far, by reason, in all of its sessions; absent
without any."""
HEARTBEAT_NS: Final = "agentops.session.heartbeat_ns"
"""Int, unix nanoseconds: this record repeats a root span's start to say that its process is alive."""
HOST_ENV: Final = "agentops.session.host_env"
"""JSON text: the machine and the process (absent with env_data_opt_out)."""
VIDEO: Final = "agentops.session.video"
USER_ID: Final = "user.id"

# Resource attributes of a recording process.
SERVICE_NAME: Final = "service.name"
SERVICE_INSTANCE: Final = "service.instance.id"
"""Unique to a process (and made new in a forked child): the counter behind RECORD_SEQ belongs to it."""
SDK_NAME: Final = "telemetry.distro.name"
SDK_NAME_VALUE: Final = "agentops"
SDK_VERSION: Final = "telemetry.distro.version"

# HTTP headers of a shipped batch.
SENT_AT_HEADER: Final = "X-Agentops-Sent-At"
"""Unix nanoseconds by the sender's clock, so that the server can tell clock skew from silence."""
API_KEY_HEADER: Final = "X-Agentops-Api-Key"

SCOPE: Final = "agentops"
"""The instrumentation scope of spans that the recorder makes itself; instrumentors have their own."""

SESSION_KIND: Final = "session"
KINDS: Final = (
    "agent",
    "operation",
    "action",
    "llm",
    "tool",
    "retrieval",
    "embedding",
    "guardrail",
    "error",
)
"""Every kind an event can have."""

END_STATES: Final = ("Success", "Fail", "Indeterminate")
