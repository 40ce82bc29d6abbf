"""A log record becomes a Log: a line of its session, or the content of the span that it names."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from agentops import semconv
from agentops.model import LogRecord
from agentops.server.normalise import content as call
from agentops.server.normalise import values
from agentops.server.normalise.dialects import INDEX
from agentops.server.normalise.event import Log
from agentops.server.normalise.surrogates import mended_record

_MOST_SEVERE: Final = 24
_SEVERITIES: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


def normalise_log(record: LogRecord, seen: dict[str, int] | None = None) -> Log:
    """Return the record as a Log. Pure; it never raises.

    Args:
        record: the record.
        seen: counts, for the records of one request, how often each content came before: a request that is
            sent again gives the same ids, and equal records in it stay apart.
    """
    seen = {} if seen is None else seen
    try:
        return _log(record, seen, read=True)
    except Exception:
        # Whatever the tables tripped over, the record is kept as the text it is.
        return _log(mended_record(record), seen, read=False)


def _log(record: LogRecord, seen: dict[str, int], *, read: bool) -> Log:
    given = record.attributes
    name = record.event_name or given.get("event.name") or ""
    if not isinstance(name, str):
        name = values.encoded(name)
    entered: list[Any] = []
    left: list[Any] = []
    is_content = bool(name in call.CONTENT_EVENTS and record.span_id)
    if is_content and read:
        entered, left = call.event_messages(name, given, record.body)
    body, body_format = _body(record.body)
    attributes = values.encoded(given)
    session, rank = "", len(INDEX)
    for key, value in given.items():
        entry = INDEX.get(key)
        if entry is not None and entry[0] == "session" and entry[1] < rank and value not in ("", None):
            session, rank = str(value), entry[1]
    severity = record.severity if 0 <= record.severity <= _MOST_SEVERE else 0
    resource = record.resource.attributes
    logger = given.get("logger.name") or record.scope.name
    instance = str(resource.get(semconv.SERVICE_INSTANCE, ""))
    identity = "\n".join(
        (
            f"{record.trace_id}\n{record.span_id}\n{record.time_ns}\n{severity}\n{instance}",
            record.scope.name,
            name,
            body,
            attributes,
        )
    )
    log_id = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
    before = seen.get(log_id, 0)
    seen[log_id] = before + 1
    if before:
        log_id = hashlib.blake2b(f"{identity}\n{before}".encode(), digest_size=8).hexdigest()
    return Log(
        log_id=log_id,
        trace_id=record.trace_id,
        span_id=record.span_id,
        declared_session=session,
        at_ns=record.time_ns,
        severity=severity,
        severity_text=(record.severity_text or _severity(severity)).upper(),
        name=name,
        body=body,
        body_format=body_format,
        logger=logger if isinstance(logger, str) else values.encoded(logger),
        content=is_content,
        input=values.encoded(entered) if entered else "",
        output=values.encoded(left) if left else "",
        attributes=attributes,
        service=str(resource.get(semconv.SERVICE_NAME, "")),
        instance=instance,
        flags=record.flags,
    )


def _body(body: Any) -> tuple[str, str]:
    if body is None or body == "":
        return "", ""
    if isinstance(body, str):
        if not body.isascii():
            body.encode()
        return body, "text"
    return values.encoded(body), "json"


def _severity(number: int) -> str:
    """Return the name of an OTLP severity number."""
    return _SEVERITIES[(number - 1) // 4] if 1 <= number <= _MOST_SEVERE else ""


def completed(body: str, body_format: str, contents: list[str]) -> tuple[str, str]:
    """Return an event's input (or output) and its format, completed by the content events that name it.

    What the span says itself wins: instrumentation that sends both sends the same. Messages that are all
    among those of its content events are from those that came first, and give way to all of them.

    Args:
        body: Event.input or Event.output.
        body_format: Event.input_format or Event.output_format.
        contents: Log.input or Log.output of its content records, in the order they were made.
    """
    if body_format not in ("", "messages"):
        return body, body_format
    found = [message for text in contents for message in _listed(text)]
    if body_format:
        left = list(found)
        for message in _listed(body):
            if message not in left:
                return body, body_format
            left.remove(message)
        if not left:
            return body, body_format
    return (values.encoded(found), "messages") if found else ("", "")


def _listed(text: str) -> list[Any]:
    listed = values.decoded(text) if text else None
    return listed if values.is_list(listed) else []
