"""A variable of the server that cannot be used is refused with its name and the fix."""

from __future__ import annotations

import pytest

from agentops import config
from agentops.errors import SettingError


@pytest.mark.parametrize(
    ("name", "variable", "value", "fix"),
    [
        ("max_body_bytes", "AGENTOPS_MAX_BODY_BYTES", "0", "use a whole number from 1 up"),
        ("max_body_bytes", "AGENTOPS_MAX_BODY_BYTES", "64MB", "use a whole number from 1 up"),
        ("port", "AGENTOPS_PORT", "70000", "use a port from 0 to 65535"),
        ("port", "AGENTOPS_PORT", "http", "use a port from 0 to 65535"),
    ],
)
def test_a_value_beyond_what_can_be_is_refused(name: str, variable: str, value: str, fix: str) -> None:
    with pytest.raises(SettingError) as refused:
        config.read(name, env={variable: value})
    assert str(refused.value).startswith(f"{variable}={value!r} cannot be used: {fix}. ")


def test_a_free_port_and_a_small_body_may_be_asked_for() -> None:
    assert config.read("port", env={"AGENTOPS_PORT": " 0 "}) == 0
    assert config.read("max_body_bytes", env={"AGENTOPS_MAX_BODY_BYTES": "1"}) == 1
