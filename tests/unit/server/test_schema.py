"""Rows and tables agree: a field without a column would be dropped in silence."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from agentops.errors import StoreError
from agentops.server.normalise.event import Event, Log
from agentops.server.store.facts import Fact
from agentops.server.store.measures import EVENTS, FAILED, UNLIKE
from agentops.server.store.migrate import migrations
from agentops.server.store.session import Edit, SessionRow
from agentops.server.store.url import StoreUrl

STORE_OWN = {"project", "version", "received_at", "resource_id"}


def columns(table: str) -> list[str]:
    source = "\n".join(migration.source for migration in migrations())
    found = re.search(rf"CREATE TABLE IF NOT EXISTS {table} [^(]*\((.*?)\n\)\nENGINE", source, re.DOTALL)
    assert found, table
    names = [line.split()[0] for line in found[1].splitlines() if line.strip()]
    for changes in re.findall(
        rf"ALTER TABLE {table} \$\{{on_cluster\}}(.*?);$", source, re.DOTALL | re.MULTILINE
    ):
        names += re.findall(r"ADD COLUMN IF NOT EXISTS (\w+)", changes)
    return [name for name in names if name not in ("INDEX", "--")]


def test_every_field_of_a_row_has_its_column_and_every_column_its_field() -> None:
    assert set(columns("spans")) == {*Event.__struct_fields__, *STORE_OWN, "seen_at"}
    assert set(columns("logs")) == {*Log.__struct_fields__, *STORE_OWN}
    assert set(columns("sessions")) == {*SessionRow.__struct_fields__, "measured", *EVENTS, *FAILED, *UNLIKE}
    assert set(EVENTS) <= set(columns("session_traces"))
    assert set(columns("edits")) == set(Edit.__struct_fields__)
    assert set(Fact.__struct_fields__) - {"input_size"} <= set(columns("spans"))


def test_all_stores_sync_what_they_acknowledge() -> None:
    for url in ("chdb:///tmp/x", "clickhouse://u:p@host/db", "clickhouse://u:p@host/db?cluster=main"):
        statements = [one for made in migrations() for one in made.statements(StoreUrl.parse(url))]
        assert not [one for one in statements if "${" in one]
        replacing = [one for one in statements if "ReplacingMergeTree(" in one]
        assert replacing
        assert all("fsync_after_insert = 1" in one for one in replacing)
        assert all(("ON CLUSTER `main`" in one) == ("cluster" in url) for one in statements)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("chdb:///home/a/store", "chdb:///home/a/store"),
        ("clickhouse://u:secret@h:9/d?cluster=c", "clickhouse://u:***@h:9/d?cluster=c"),
        ("clickhouses://h", "clickhouses://h:8443/default"),
    ],
)
def test_a_store_url_is_shown_without_its_password(text: str, shown: str) -> None:
    assert str(StoreUrl.parse(text)) == shown


@pytest.mark.parametrize("password", ["a@b:c/d?e#f", "p%40s%2Fs", "[%]", "@", ":/@h/x"])
def test_a_password_may_hold_what_divides_a_url(password: str) -> None:
    found = StoreUrl.parse(f"clickhouse://u:{password}@h:9/d?cluster=c")
    assert found.password == unquote(password)
    assert (found.user, found.host, found.port, found.database, found.cluster) == ("u", "h", 9, "d", "c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chdb://x",
        "chdb:///",
        "sqlite:///x",
        "clickhouse:///db",
        "clickhouse://h:0x/d",
        "clickhouse://h/d?a=1",
    ],
)
def test_what_is_no_store_url_is_refused_with_the_right_forms(text: str) -> None:
    with pytest.raises(StoreError, match="chdb:///absolute/path"):
        StoreUrl.parse(text)
