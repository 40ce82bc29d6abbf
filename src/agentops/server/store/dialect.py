"""Dialect: one text of SQL, for the embedded engine, for a ClickHouse server and for a cluster of them.

Everybody writes `spans` and means the whole table. On a cluster that is a Distributed table over
`spans_local`, a replicated table on every shard: statements that define or change rows in place go to the
local tables of all machines, whatever is read or inserted goes through the Distributed one.

A row's shard follows from the first column of its key that names a trace or a session, as 32 hex digits where
it can be read so. Versions of one row therefore meet on one shard, which replacing merges and FINAL rest on;
a trace stays whole; and a session that is one trace (every session of our SDK) has its spans, its row and its
marks on one shard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template
from typing import Final

from agentops.errors import StoreError
from agentops.server.store.url import StoreUrl

LOCAL: Final = "_local"
"""Ends the name of a cluster's local tables."""
FEW_ROWS: Final = "SETTINGS max_threads = 1"
"""Ends a SELECT that looks up a few rows: a second thread costs it more than it saves."""
BY_KEY: Final = f"{FEW_ROWS}, optimize_move_to_prewhere = 0"
"""Ends a SELECT of a few narrow columns of the rows that a table's key names.

There is next to nothing that a look at the conditions first could spare, and planning one is a tenth of the
cost of such a SELECT.
"""
OF_TRACES: Final = "SETTINGS use_skip_indexes_if_final_exact_mode = 0"
"""Ends a SELECT FINAL of the spans of named traces: parts that hold none of them are not opened.

Every version of a span has its trace's id, so that no part left out holds a newer one. That is not so of
what is not in the table's key: a SELECT with a condition on another indexed column must not end so.
"""
FROM_START: Final = f"{OF_TRACES}, optimize_move_to_prewhere = 0"
"""Ends a SELECT FINAL of named traces' spans as they stand, from the first: there is nothing to leave out."""
_SYNCED: Final = ", fsync_after_insert = 1, fsync_part_directory = 1"
_KEEPER_PATH: Final = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
_IN_PLACE: Final = re.compile(
    r"(?P<verb>CREATE TABLE IF NOT EXISTS|CREATE TABLE|ALTER TABLE|DROP TABLE IF EXISTS|DROP TABLE|"
    r"TRUNCATE TABLE IF EXISTS|TRUNCATE TABLE|OPTIMIZE TABLE|DELETE FROM)\s+`?(?P<table>\w+)`?(?P<rest>.*)",
    re.DOTALL,
)
_ORDER_BY: Final = re.compile(r"\bORDER BY\s+(?:\((?P<many>[^()]*)\)|(?P<one>\w+))")
_COLUMN_LIST: Final = re.compile(r"\(\s*(?P<columns>.*?)\n\)\s*ENGINE", re.DOTALL)

_SERVER: Final[Mapping[str, str]] = {
    # An insert that has answered is in the table, not in a buffer that a crash empties.
    "async_insert": "0",
    "wait_for_async_insert": "1",
    # Filters over many traces are long texts; nothing here is typed by a person.
    "max_query_size": "67108864",
    "max_ast_elements": "1000000",
    "max_expanded_ast_elements": "2000000",
    "lightweight_deletes_sync": "2",
    "mutations_sync": "2",
}
_CLUSTER: Final[Mapping[str, str]] = {
    # A Distributed table passes an insert on before it answers, and a shard answers when most replicas
    # have it.
    "distributed_foreground_insert": "1",
    "insert_quorum": "auto",
    # A subquery over another Distributed table is answered by all shards, not by the one that asks.
    "distributed_product_mode": "global",
    # Rows that must meet (a join's two sides, a session's rows) are found wherever they are.
    "optimize_skip_unused_shards": "1",
    "distributed_ddl_task_timeout": "120",
    "distributed_ddl_output_mode": "throw",
}


def settings(url: StoreUrl) -> dict[str, str]:
    """Return the settings of every statement of ours that only a server needs."""
    if url.embedded:
        return {}
    return {**_SERVER, **(_CLUSTER if url.cluster else {})}


def filled(statement: str, url: StoreUrl) -> list[str]:
    """Return a statement of a schema's file as the store's engine wants it: several, on a cluster.

    Args:
        statement: one statement with ${replacing}, ${plain}, ${on_cluster} and ${settings}; comments go.
        url: which engine.
    """
    lines = [line for line in statement.splitlines() if not line.lstrip().startswith("--")]
    text = "\n".join(lines).strip()
    if not text:
        return []
    values = {
        "on_cluster": "",
        "settings": _SYNCED,
        "plain": "MergeTree()",
        "replacing": "ReplacingMergeTree",
    }
    if not url.cluster:
        return [Template(text).safe_substitute(values)]
    text = text.replace("${replacing}(", f"ReplicatedReplacingMergeTree({_KEEPER_PATH}, ")
    values["plain"] = f"ReplicatedMergeTree({_KEEPER_PATH})"
    text = Template(text).safe_substitute(values)
    face = _face(text, url)
    return [on_cluster(text, url), *([face] if face else [])]


def on_cluster(statement: str, url: StoreUrl) -> str:
    """Return a statement so that it reaches the local tables of all machines, if it is one that must."""
    found = _IN_PLACE.match(statement.strip())
    if not url.cluster or found is None or found["rest"].lstrip().startswith("ON CLUSTER"):
        return statement
    table = found["table"].removesuffix(LOCAL)
    rest = found["rest"]
    if found["verb"] == "OPTIMIZE TABLE" and not rest.strip():
        rest = " FINAL"
    return f"{found['verb']} {table}{LOCAL} ON CLUSTER `{url.cluster}`{rest}"


def machines(table: str, url: StoreUrl) -> str:
    """Return a table of `system` as all machines of the store have it."""
    return f"clusterAllReplicas('{url.cluster}', system.{table})" if url.cluster else f"system.{table}"


def _face(statement: str, url: StoreUrl) -> str:
    """Return the statement that makes or renews the Distributed table of a statement's table, or ""."""
    found = _IN_PLACE.match(statement)
    if found is None:
        return ""
    table = found["table"].removesuffix(LOCAL)
    cluster, database = url.cluster, url.database
    if found["verb"].startswith("CREATE TABLE"):
        return (
            f"CREATE TABLE IF NOT EXISTS {table} ON CLUSTER `{cluster}` AS {table}{LOCAL} "
            f"ENGINE = Distributed(`{cluster}`, `{database}`, {table}{LOCAL}, {shard_key(statement)})"
        )
    if found["verb"].startswith("DROP TABLE"):
        return f"{found['verb']} {table} ON CLUSTER `{cluster}`"
    if found["verb"] != "ALTER TABLE":
        return ""
    # A Distributed table has columns and nothing else that an ALTER may be about.
    changes = [part for part in _parts(found["rest"]) if re.match(r"(ADD|DROP|RENAME|MODIFY) COLUMN\b", part)]
    plain = [
        text
        for part in changes
        if (text := re.sub(r"\s+CODEC\((?:[^()]|\([^()]*\))*\)", "", part))
        and (not text.startswith("MODIFY") or len(text.split()) > 3)
    ]
    return f"ALTER TABLE {table} ON CLUSTER `{cluster}` {', '.join(plain)}" if plain else ""


def shard_key(statement: str) -> str:
    """Return the sharding expression of a table from its CREATE statement.

    Raises:
        StoreError: its key has no column to shard by; a mistake in a schema's file.
    """
    order = _ORDER_BY.search(statement)
    if order is None:
        raise StoreError(f"A table of the schema has no ORDER BY of plain columns: {statement[:200]}")
    key = [name.strip() for name in (order["many"] or order["one"]).split(",")]
    columns = _COLUMN_LIST.search(statement)
    # Log records without a trace share an empty one: they go by their own id, or one shard had them all.
    loose = columns is not None and re.search(r"^\s*log_id ", columns["columns"], re.MULTILINE)
    for name in key:
        if name == "trace_id":
            place = "if(trace_id = '', log_id, trace_id)" if loose else "trace_id"
            return f"cityHash64(project, {place})"
        if name == "session_id":
            # A session that is one trace has the trace's id with four dashes put in.
            return "cityHash64(project, replaceAll(session_id, '-', ''))"
    return f"cityHash64({', '.join(key)})"


def _parts(text: str) -> list[str]:
    """Divide an ALTER's actions at the commas between them."""
    parts: list[str] = []
    depth = start = 0
    quoted = False
    for place, letter in enumerate(text):
        if letter == "'" and text[place - 1] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]
