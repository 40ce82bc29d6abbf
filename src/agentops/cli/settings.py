"""`agentops settings`: every setting, its variable, its value here and where that comes from."""

from __future__ import annotations

import argparse
import os
from typing import Any

from agentops import config
from agentops.errors import SettingError


def define(commands: Any) -> None:
    """Add the command."""
    commands.add_parser("settings", help="list every setting with its value here")


def run(_: argparse.Namespace) -> int:
    """Print the settings; the exit code is 1 when one of them cannot be used."""
    wrong = 0
    width = max(len(setting.env) for setting in config.SETTINGS)
    for setting in config.SETTINGS:
        raw = os.environ.get(setting.env)
        given = raw is not None and raw != ""
        try:
            value = config.read(setting.name)
        except SettingError as error:
            wrong = 1
            print(f"{setting.env:<{width}}  cannot be used: {error}")
            continue
        if given and setting.name in ("api_key", "parent_key", "secret"):
            value = f"{str(value)[:4]}…"
        if given and setting.name == "store":
            value = _without_password(str(value))
        shown = "-" if value is None or value == [] else ",".join(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] -- lists here hold text
        print(
            f"{setting.env:<{width}}  {shown}{'  (environment)' if given else ''}\n"
            f"{'':<{width}}  {setting.help} ({setting.type}; {setting.name}=)"
        )
    return wrong


def _without_password(url: str) -> str:
    before, at, after = url.rpartition("@")
    if not at or "://" not in before:
        return url
    scheme, _, login = before.partition("://")
    return f"{scheme}://{login.partition(':')[0]}:***@{after}"
