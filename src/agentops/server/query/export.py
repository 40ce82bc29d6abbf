"""Sessions, complete, in the formats people take away: JSON, OTLP/JSON, HTML, CSV, Parquet.

A session is read in slices, so that a large one passes through without being held as a whole. JSON and OTLP
can be imported again and make an equal session; several sessions are one JSON document a line, one OTLP
document, one table.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from agentops.server.normalise.attributes import whole_text
from agentops.server.query.events import AFTER, START_ORDER, WholeEventRow, agents_of, whole, whole_columns
from agentops.server.query.logs import logs
from agentops.server.query.otlp import Core, Resources, core, resource_logs, resource_spans
from agentops.server.query.page import inside, page, viewer
from agentops.server.query.scope import Agents, Scope, agents
from agentops.server.query.times import iso_sql
from agentops.server.store.client import Store
from agentops.server.store.edits import current
from agentops.server.store.session import Edit

FORMATS: Final = ("json", "otlp", "html", "csv", "parquet")
MEDIA: Final = {
    "json": "application/json",
    "otlp": "application/json",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_ENDINGS: Final = {"otlp": "otlp.json"}
LINES: Final = "application/x-ndjson"
"""Several sessions as JSON: one document a line."""
SMALL: Final = 500
"""Events of a session that is read as a whole."""
_SLICE: Final = SMALL
_TABLE_SLICE: Final = 10_000
_TABLE: Final = """
    span_id AS event_id, {parent} AS parent_id, {{session:String}} AS session_id, trace_id,
    toString(kind) AS kind, name, nullIf({agent}, '') AS agent, {iso} AS started_at,
    if(ended, duration_ns / 1e6, NULL) AS duration_ms, {status} AS status,
    nullIf(toString(model), '') AS model, nullIf(toString(provider), '') AS provider,
    tokens_input, tokens_output, tokens_cache_read, tokens_cache_write, tokens_reasoning,
    cost_usd, nullIf(toString(cost_source), '') AS cost_source,
    nullIf(toString(error_type), '') AS error_type, nullIf(error_message, '') AS error_message,
    if(input_format = '', NULL, input) AS input, if(output_format = '', NULL, output) AS output, attributes
"""


def file_name(session_id: str, form: str) -> str:
    """Return the name of a session's file: made of letters that every system takes, and no other session's.

    Systems that do not tell letter case apart are among those.
    """
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in session_id)
    stem = plain[:100]
    if stem != session_id or stem != stem.lower():
        stem += "-" + hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"session-{stem}.{_ENDINGS.get(form, form)}"


_Placed = TypeVar("_Placed", WholeEventRow, Core)


class Exportable(NamedTuple):
    """A session that is to be exported."""

    scope: Scope
    session: dict[str, Any]
    """As the API shows it."""
    read: Read | None = None
    """What was read of it already, together with others."""


class Read(NamedTuple):
    """What several sessions are asked for together: most of what a small one costs is the asking."""

    rows: list[WholeEventRow]
    """All of its spans in start order."""
    agents: Agents
    has_logs: bool
    said: Edit


def exported(store: Store, one: Exportable, form: str) -> Iterator[bytes]:
    """Yield the bytes of one session's export in one of FORMATS."""
    if form == "json":
        return _json(store, one)
    if form == "html":
        built = viewer()
        if built is not None:
            return inside(built, _shown(store, one))
        return page(one.session, _events(store, one), _log_records(store, one))
    return exported_together(store, [one], form)


def exported_together(store: Store, many: Iterable[Exportable], form: str) -> Iterator[bytes]:
    """Yield the bytes of an export of several sessions, in one of FORMATS but html."""
    if form == "json":
        return (piece for one in many for piece in (*_json(store, one), b"\n"))
    if form == "otlp":
        return _otlp(store, many)
    return _csv(store, many) if form == "csv" else _parquet(store, many)


def _slices(store: Store, scope: Scope, where: str) -> Iterator[list[WholeEventRow]]:
    return _keyset(store, scope, where, whole_columns(scope), WholeEventRow)


def _keyset(
    store: Store, scope: Scope, where: str, columns: str, row: type[_Placed]
) -> Iterator[list[_Placed]]:
    after, after_id, after_trace = 0, "", ""
    while True:
        rows = store.rows(
            f"SELECT {columns} FROM spans FINAL WHERE ({where}) "
            f"AND {AFTER} ORDER BY {START_ORDER} LIMIT {{limit:UInt32}}",
            {
                **scope.values,
                "after": after,
                "after_id": after_id,
                "after_trace": after_trace,
                "limit": _SLICE,
            },
            row,
        )
        if rows:
            yield rows
        if len(rows) < _SLICE:
            return
        after, after_id, after_trace = rows[-1].started_at, rows[-1].span_id, rows[-1].trace_id


def whole_events(store: Store, scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield every event of a session as the API shows it by itself, in start order."""
    return _told(store, scope, _slices(store, scope, scope.events_where))


def _events(store: Store, one: Exportable) -> Iterator[dict[str, Any]]:
    return _told(store, one.scope, _parts(store, one).events, one.read and one.read.agents)


def _told(
    store: Store, scope: Scope, slices: Iterable[list[WholeEventRow]], known: Agents | None = None
) -> Iterator[dict[str, Any]]:
    resources = Resources(store, scope.project)
    for rows in slices:
        named = agents_of(store, scope, rows) if known is None else known
        for row in rows:
            yield whole(row, scope, resources.attributes(row.resource_id), named)


class _Parts(NamedTuple):
    """A session's events, what they are as spans, and the session's own spans; each is gone through once."""

    events: Iterable[list[WholeEventRow]]
    spans: Iterable[list[WholeEventRow] | list[Core]]
    roots: Iterable[list[WholeEventRow]]


def _parts(store: Store, one: Exportable) -> _Parts:
    scope = one.scope
    rows = one.read.rows if one.read else None
    if rows is None and int(one.session["event_counts"]["total"]) < SMALL:
        # A small session is read once: most of what it costs is the asking.
        rows = next(_slices(store, scope, scope.where), list[WholeEventRow]())
        rows = rows if len(rows) < SMALL else None
    if rows is not None:
        events = [row for row in rows if row.kind != "session"]
        return _Parts([events], [events], [[row for row in rows if row.kind == "session"]])
    return _Parts(
        _slices(store, scope, scope.events_where),
        _keyset(store, scope, scope.events_where, ", ".join(Core.__struct_fields__), Core),
        _slices(store, scope, f"({scope.where}) AND kind = 'session'"),
    )


def _json(store: Store, one: Exportable) -> Iterator[bytes]:
    """Yield a session as a JSON document, with what makes it again if it is imported."""
    scope = one.scope
    parts = _parts(store, one)
    yield b'{"session":' + msgspec.json.encode(one.session) + b',"events":['
    yield from _listed(_told(store, scope, parts.events, one.read and one.read.agents))
    yield b'],"logs":['
    yield from _listed(_log_records(store, one))
    resources = Resources(store, scope.project)
    yield b'],"spans":['
    yield from _listed(core(row) for rows in parts.spans for row in rows)
    yield b'],"resourceSpans":['
    yield from _listed(resource_spans(row, resources) for rows in parts.roots for row in rows)
    yield b'],"resourceLogs":['
    yield from _listed(_resource_logs(store, one, resources))
    yield b'],"edits":[' + msgspec.json.encode(_edit(store, one)) + b"]}"


def _shown(store: Store, one: Exportable) -> Iterator[bytes]:
    """Yield a session as a JSON document with an event a line: the page reads one when it is asked for."""
    yield b'{"session":' + msgspec.json.encode(one.session) + b',"events":[\n'
    yield from _listed(_events(store, one), b",\n")
    yield b'\n],"logs":['
    yield from _listed(_log_records(store, one))
    yield b"]}"


def _listed(values: Iterable[Any], between: bytes = b",") -> Iterator[bytes]:
    comma = b""
    for value in values:
        yield comma + msgspec.json.encode(value)
        comma = between


def _edit(store: Store, one: Exportable) -> dict[str, Any]:
    """Return what a user said about a session, in the fields of PATCH /api/sessions/{id}."""
    scope = one.scope
    said = one.read.said if one.read else current(store, scope.project, scope.session_id)
    found: dict[str, Any] = {"session_id": scope.session_id}
    if said.name is not None:
        found["name"] = said.name
    if said.note is not None:
        found["note"] = said.note
    if said.tags_set:
        found["tags"] = said.tags
    if said.tags_added:
        found["add_tags"] = said.tags_added
    if said.tags_removed:
        found["remove_tags"] = said.tags_removed
    return found


def _resource_logs(store: Store, one: Exportable, resources: Resources) -> Iterator[dict[str, Any]]:
    return iter(()) if one.read and not one.read.has_logs else resource_logs(store, one.scope, resources)


def _log_records(store: Store, one: Exportable) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while one.read is None or one.read.has_logs:
        found, cursor = logs(store, one.scope, limit=_SLICE, cursor=cursor, q="", min_severity=0)
        yield from found
        if cursor is None:
            return


def _otlp(store: Store, many: Iterable[Exportable]) -> Iterator[bytes]:
    """Yield an OTLP/JSON export request that, sent to a server, makes the same sessions again."""
    # Log records and edits follow the spans: other receivers of traces pass over them.
    kept: list[Exportable] = []
    comma = b""
    yield b'{"resourceSpans":['
    for one in many:
        scope = one.scope
        kept.append(one._replace(read=one.read and one.read._replace(rows=[])))
        resources = Resources(store, scope.project)
        for rows in [one.read.rows] if one.read else _slices(store, scope, scope.where):
            if not rows:
                continue
            yield comma + b",".join(msgspec.json.encode(resource_spans(row, resources)) for row in rows)
            comma = b","
    yield b'],"resourceLogs":['
    comma = b""
    for one in kept:
        for record in _resource_logs(store, one, Resources(store, one.scope.project)):
            yield comma + msgspec.json.encode(record)
            comma = b","
    yield b'],"edits":['
    yield from _listed(_edit(store, one) for one in kept)
    yield b"]}"


def _tables(store: Store, many: Iterable[Exportable], form: str) -> Iterator[tuple[bytes, int]]:
    """Yield pieces of a table of events, each in one of the engine's formats, with the rows it holds.

    Without a session there is one piece all the same: it names the columns.
    """
    one = None
    for one in many:
        scope = one.scope
        agent = agents(store, scope)
        columns = _TABLE.format(
            parent=scope.parent, status=scope.status, iso=iso_sql("s.started_at"), agent=agent.value
        )
        values = {**scope.values, "session": scope.session_id, "limit": _TABLE_SLICE}
        total = int(one.session["event_counts"]["total"])
        after = ""
        while True:
            answer = store.answer(
                f"{agent.before} SELECT {columns} FROM spans AS s FINAL {agent.join} "
                f"WHERE {scope.events_where} {after} "
                "ORDER BY s.started_at, s.span_id, s.trace_id LIMIT {limit:UInt32}",
                values,
                form=form,
            )
            yield answer, total
            if total <= _TABLE_SLICE:
                break
            # A large session goes on after its last row.
            last = store.rows(
                f"SELECT {START_ORDER} FROM spans AS s FINAL WHERE {scope.events_where} {after} "
                f"ORDER BY {START_ORDER} LIMIT 1 OFFSET {_TABLE_SLICE - 1}",
                values,
                _Place,
            )
            if not last:
                break
            values |= {
                "after": last[0].started_at,
                "after_id": last[0].span_id,
                "after_trace": last[0].trace_id,
            }
            after = (
                "AND (s.started_at, s.span_id, s.trace_id) > "
                "({after:UInt64}, {after_id:String}, {after_trace:String})"
            )
    if one is None:
        columns = _TABLE.format(
            parent="nullIf(parent_id, '')",
            status="toString(status)",
            iso=iso_sql("s.started_at"),
            agent="toString(agent)",
        )
        yield store.answer(f"SELECT {columns} FROM spans AS s WHERE 0", {"session": ""}, form=form), 0


class _Place(msgspec.Struct):
    started_at: int
    span_id: str
    trace_id: str


def _csv(store: Store, many: Iterable[Exportable]) -> Iterator[bytes]:
    first = True
    for answer, _ in _tables(store, many, "JSONCompactEachRowWithNames"):
        names, *rows = (msgspec.json.decode(line, type=list[Any]) for line in answer.splitlines())
        lines = [_line(names)] if first else []
        for *others, entered, left, attributes in rows:
            lines.append(_line([*others, entered, left, whole_text(attributes, entered or "", left or "")]))
        yield "".join(lines).encode()
        first = False


def _line(cells: list[Any]) -> str:
    """Return cells as a line of CSV: texts quoted, so that an empty one is not what is unknown."""
    return ",".join(map(_cell, cells)) + "\n"


def _cell(value: str | float | None) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return "" if value is None else str(value)


def _parquet(store: Store, many: Iterable[Exportable]) -> Iterator[bytes]:
    """Yield a Parquet file: pieces of the engine's become row groups of one file."""
    # Only here: it is large, and whoever exports no Parquet needs none of it.
    import pyarrow
    from pyarrow import parquet as parquet_files

    arrow: Any = pyarrow
    parquet: Any = parquet_files

    sink = Sink()
    writer: Any = None
    try:
        for piece, _ in _tables(store, many, "Parquet"):
            table: Any = parquet.read_table(io.BytesIO(piece))
            columns = (table[name].to_pylist() for name in ("attributes", "input", "output"))
            texts = [
                whole_text(held, into or "", out or "") for held, into, out in zip(*columns, strict=True)
            ]
            place = table.schema.get_field_index("attributes")
            field = table.schema.field(place)
            table = table.set_column(place, field, arrow.array(texts, field.type))
            if writer is None:
                writer = parquet.ParquetWriter(sink, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
            yield sink.taken()
    finally:
        if writer is not None:
            writer.close()
    yield sink.taken()


class Sink(io.RawIOBase):
    """A file that is only written to, and hands on what was written."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any, /) -> int:
        """Take bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes there were so far."""
        return self._size

    def taken(self) -> bytes:
        """Return what was written since this was asked last."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
