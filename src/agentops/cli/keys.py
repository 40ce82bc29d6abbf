"""`agentops keys`: make, list, revoke and rotate API keys, whether the server runs or not."""

from __future__ import annotations

import argparse
import re
from typing import Any

from agentops.cli import listing
from agentops.cli.account import Account, account
from agentops.errors import AgentOpsError

_AGES = {"h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0}
_SIZES = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_LONGEST_NAME = 100
_COLUMNS = (
    ("key", "left"), ("project", "id"), ("scope", "left"), ("created", "left"), ("last used", "left"),
    ("expires", "left"), ("state", "left"), ("name", "text"),
)  # fmt: skip
_LARGEST_QUOTA = 10**15


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("keys", help="make, list, revoke and rotate API keys")
    actions = command.add_subparsers(dest="action", metavar="action", required=True)
    create = actions.add_parser("create", help="make a key; it is shown this once")
    create.add_argument("--project", default="", help="name or id of the project (default: the first one)")
    create.add_argument("--name", default="", help="what it is for")
    create.add_argument(
        "--scope",
        default="record,read",
        help="record (write telemetry only), read, admin; several by commas (default record,read)",
    )
    create.add_argument("--expires", metavar="AGE", help="when it ends: 12h, 90d, 1y (default never)")
    create.add_argument("--quota", metavar="SIZE", help="telemetry a minute: 500KB, 10MB, 1GB")
    listing = actions.add_parser("list", help="list keys, by their first 8 characters")
    listing.add_argument("--project", default="", help="name or id of the project (default: all)")
    for name, text in (
        ("revoke", "end a key at once, with its tokens and sign-ins"),
        ("rotate", "make a key that takes another's place"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("key", help="the key's first 8 characters")
    for action in actions.choices.values():
        action.add_argument(
            "--home", metavar="FOLDER", help="folder of everything local (default ~/.agentops)"
        )
        action.add_argument("--store", metavar="URL", help="the store, when it is not the home's")
        action.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked."""
    with account(chosen.home, chosen.store) as here:
        return _ACTIONS[chosen.action](chosen, here)


def _create(chosen: argparse.Namespace, here: Account) -> int:
    made = here.create_key(
        project=chosen.project,
        name=_name(chosen.name),
        scope=chosen.scope,
        expires_in_days=_days(chosen.expires),
        quota_bytes_per_minute=_bytes(chosen.quota),
    )
    return _show_new(chosen, made)


def _rotate(chosen: argparse.Namespace, here: Account) -> int:
    return _show_new(chosen, here.rotate_key(chosen.key))


def _show_new(chosen: argparse.Namespace, made: dict[str, Any]) -> int:
    if chosen.json:
        listing.print_json(made)
        return 0
    print(made["key"])
    print(
        f"Shown only now. Scope {', '.join(made['scopes'])}, project {made['project_id']}; "
        "give it to programs as AGENTOPS_API_KEY."
    )
    return 0


def _list(chosen: argparse.Namespace, here: Account) -> int:
    found = here.list_keys(chosen.project)
    if chosen.json:
        listing.print_json(found)
        return 0
    rows = [
        (
            key["key_id"],
            key["project_id"],
            ",".join(key["scopes"]),
            _day(key["created_at"]),
            _day(key["last_used_at"]),
            _day(key["expires_at"]),
            key["state"],
            key["name"],
        )
        for key in found
    ]
    listing.print_table(_COLUMNS, rows, drop=("created", "last used", "expires"))
    return 0


def _revoke(chosen: argparse.Namespace, here: Account) -> int:
    ended = here.revoke_key(chosen.key)
    if chosen.json:
        listing.print_json(ended)
    else:
        print(f"{ended['key_id']} is revoked.")
    return 0


_ACTIONS = {"create": _create, "list": _list, "revoke": _revoke, "rotate": _rotate}


def _day(iso: str | None) -> str:
    return iso[:16].replace("T", " ") if iso else "-"


def _name(text: str) -> str:
    if len(text) > _LONGEST_NAME or not text.isprintable():
        raise AgentOpsError(f"--name cannot be used. Use up to {_LONGEST_NAME} printable characters.")
    return text


def _days(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([hdwy])", text.strip().lower())
    if not found or not 0 < float(found[1]) * _AGES[found[2]] <= 36_500:
        raise AgentOpsError(f"--expires {text!r} is no age. Use 12h, 90d, 4w or 1y.")
    return float(found[1]) * _AGES[found[2]]


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+)\s*(kb|mb|gb|)", text.strip().lower())
    if not found or int(found[1]) == 0:
        raise AgentOpsError(f"--quota {text!r} is no size. Use bytes, or 500KB, 10MB, 1GB.")
    size = int(found[1]) * _SIZES[found[2]]
    if size > _LARGEST_QUOTA:
        raise AgentOpsError(f"--quota {text!r} is too much. Use at most {_LARGEST_QUOTA // 10**9}GB.")
    return size
