"""What is searched is looked up: each text that has an index is not read for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_EXPLAINED = """
import json, sys
from agentops.server.query.text import found
from agentops.server.store.opening import open_store
from agentops.server.store.upkeep import compact
from agentops.server.store.url import StoreUrl
opened = open_store(StoreUrl.parse(f"chdb://{sys.argv[1]}/store"))
store = opened.store
for number in range(2):
    store.insert("spans", [json.dumps({"trace_id": str(number), "span_id": str(number)}).encode()])
compact(store)
plans = {}
for column in sys.argv[2].split(","):
    for text in ("refund", "退款"):
        values = {"project": "default"}
        sql = found(store, "default", text, values, (column,))
        plans[f"{column} {text}"] = store.answer("EXPLAIN indexes = 1 " + sql, values, form="TSVRaw").decode()
print(json.dumps(plans))
opened.close()
"""
_WORDS = {
    "name": "name_lower_words",
    "source_name": "source_lower_words",
    "error_message": "error_lower_words",
    "status_message": "status_lower_words",
    "input": "input_lower_words",
    "output": "output_lower_words",
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home: Path = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-c", _EXPLAINED, str(home), ",".join(_WORDS)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    explained: dict[str, str] = json.loads(done.stdout)
    return explained


@pytest.mark.parametrize("column", _WORDS)
def test_a_word_is_looked_up_in_its_index(plans: dict[str, str], column: str) -> None:
    assert f"Name: {_WORDS[column]}" in plans[f"{column} refund"]


@pytest.mark.parametrize("column", ["input", "output"])
def test_letters_beyond_ascii_are_looked_up_in_groups(plans: dict[str, str], column: str) -> None:
    assert f"Name: {column}_letter_groups" in plans[f"{column} 退款"]
