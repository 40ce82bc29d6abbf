"""What a cluster is told: the engine takes every statement, and rows that must meet have one shard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from agentops.server.store.dialect import filled, machines, on_cluster, shard_key
from agentops.server.store.migrate import migrations
from agentops.server.store.url import StoreUrl

ONE = StoreUrl.parse("clickhouse://u:p@host/db")
CLUSTER = StoreUrl.parse("clickhouse://u:p@host/default?cluster=main")

_CONFIG = """<clickhouse><tcp_port>9000</tcp_port><macros><shard>01</shard><replica>one</replica></macros>
<zookeeper><implementation>testkeeper</implementation></zookeeper><remote_servers><main><shard>
<replica><host>127.0.0.1</host><port>9000</port></replica></shard></main></remote_servers></clickhouse>"""

# The engine's own process: its stand-in for a Keeper keeps threads that outlive the tables.
_TRY = """
import json, os, sys
import chdb
folder, statements = sys.argv[1], json.loads(sys.stdin.read())
engine = chdb.connect(f"{folder}/store?config-file={folder}/config.xml")
for statement in statements:
    engine.query("EXPLAIN AST " + statement)
    if statement.startswith("CREATE"):
        engine.query(statement.replace("ON CLUSTER `main`", ""))
made = engine.query("SELECT name, engine FROM system.tables WHERE database = 'default'", "JSONCompactEachRow")
sharded = engine.query(
    "SELECT name, extract(engine_full, 'local., (.*)[)]$') FROM system.tables WHERE engine = 'Distributed'",
    "JSONCompactEachRow",
)
print(json.dumps([str(made), str(sharded)]), flush=True)
os._exit(0)
"""


def test_the_engine_takes_every_statement_of_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "config.xml").write_text(_CONFIG)
    statements = [one for made in migrations() for one in made.statements(CLUSTER)]
    done = subprocess.run(
        [sys.executable, "-c", _TRY, str(tmp_path)],
        input=json.dumps(statements), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    made, sharded = json.loads(done.stdout)
    engines = dict(json.loads(line) for line in made.splitlines())
    faces = {name for name, engine in engines.items() if engine == "Distributed"}
    assert {name.removesuffix("_local") for name in engines} == faces
    assert all(engine.startswith("Replicated") for name, engine in engines.items() if name.endswith("_local"))
    keys = dict(json.loads(line) for line in sharded.splitlines())
    by_trace = {name for name, key in keys.items() if key == "cityHash64(project, trace_id)"}
    assert by_trace == {"spans", "span_sessions", "span_agents", "repeats"}
    by_session = {name for name, key in keys.items() if "replaceAll(session_id" in key}
    assert by_session == {"sessions", "session_traces", "edits"}


def test_a_session_of_one_trace_is_where_its_spans_are() -> None:
    trace = UUID(int=0x1234567890ABCDEF1234567890ABCDEF)
    spans = shard_key("CREATE TABLE spans (x) ORDER BY (project, trace_id, started_at, span_id)")
    sessions = shard_key("CREATE TABLE sessions (x) ORDER BY (project, session_id)")
    row = f"SELECT 'p' AS project, '{trace.hex}' AS trace_id, '{trace}' AS session_id"
    script = "import chdb, sys; print(chdb.query(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, f"SELECT {spans} = {sessions} FROM ({row})"],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1"


ON = "ON CLUSTER `main`"


@pytest.mark.parametrize(
    ("statement", "sent"),
    [
        ("DELETE FROM spans WHERE a = {a:String}", f"DELETE FROM spans_local {ON} WHERE a = {{a:String}}"),
        ("OPTIMIZE TABLE spans FINAL", "OPTIMIZE TABLE spans_local ON CLUSTER `main` FINAL"),
        ("ALTER TABLE spans DELETE WHERE 1", "ALTER TABLE spans_local ON CLUSTER `main` DELETE WHERE 1"),
        ("DELETE FROM spans_local WHERE 1", "DELETE FROM spans_local ON CLUSTER `main` WHERE 1"),
        (f"ALTER TABLE x_local {ON} DELETE WHERE 1", f"ALTER TABLE x_local {ON} DELETE WHERE 1"),
        ("SELECT 1 FROM spans", "SELECT 1 FROM spans"),
    ],
)  # fmt: skip
def test_what_changes_rows_in_place_goes_to_every_machine(statement: str, sent: str) -> None:
    assert on_cluster(statement, CLUSTER) == sent
    assert on_cluster(statement, ONE) == statement


def test_a_new_column_is_added_to_both_tables() -> None:
    source = (
        "ALTER TABLE spans ${on_cluster} ADD COLUMN IF NOT EXISTS a String CODEC(Delta(4), ZSTD(1)) AFTER b,"
    )
    source += " ADD INDEX i a TYPE minmax, MODIFY COLUMN c String CODEC(LZ4)"
    local, face = filled(source, CLUSTER)
    assert local.startswith("ALTER TABLE spans_local ON CLUSTER `main`")
    assert "ADD INDEX" in local
    changes = "ADD COLUMN IF NOT EXISTS a String AFTER b, MODIFY COLUMN c String"
    assert face == f"ALTER TABLE spans {ON} {changes}"
    assert len(filled(source, ONE)) == 1


def test_tables_of_the_system_are_those_of_all_machines() -> None:
    assert machines("parts", CLUSTER) == "clusterAllReplicas('main', system.parts)"
    assert machines("parts", ONE) == "system.parts"
