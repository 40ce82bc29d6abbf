"""Write docs/settings.md from the one table of settings: python scripts/settings_page.py."""

from __future__ import annotations

from pathlib import Path

from agentops import config

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_TOP = """# Settings

An argument wins over the environment variable, the variable over the default. The SDK's settings are keyword
arguments of `agentops.init()`. Those of the server that `agentops serve --help` lists are options too
(`--tls-cert` for `tls_cert`); the others are set by their variable. `agentops settings` prints this table
with the values in force on this machine.

The table comes from `src/agentops/config.py`; `.venv/bin/python scripts/settings_page.py` writes this page.

| name | environment | default | type | read by | meaning |
|---|---|---|---|---|---|
"""


def render() -> str:
    """Return the page as Markdown."""
    return _TOP + "".join(_row(setting) for setting in config.SETTINGS)


def _row(setting: config.Setting) -> str:
    default = "" if setting.default in (None, ()) else f"`{setting.default}`"
    reader = {"sdk": "SDK", "server": "server", "both": "SDK, server"}[setting.reader]
    meaning = setting.help.replace("|", "&#124;")
    return f"| `{setting.name}` | `{setting.env}` | {default} | {setting.type} | {reader} | {meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(render())
