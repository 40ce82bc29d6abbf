"""`agentops projects`: make, list, rename and delete projects, whether the server runs or not."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from agentops.cli import listing
from agentops.cli.account import account
from agentops.errors import AgentOpsError


def define(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("projects", help="make, list, rename and delete projects")
    actions = command.add_subparsers(dest="action", metavar="action", required=True)
    create = actions.add_parser("create", help="make a project")
    create.add_argument("name")
    actions.add_parser("list", help="list the projects")
    rename = actions.add_parser("rename", help="give a project another name")
    rename.add_argument("project", help="name or id")
    rename.add_argument("name", help="its new name")
    delete = actions.add_parser("delete", help="remove a project, its keys and all that was recorded in it")
    delete.add_argument("project", help="name or id")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    for action in actions.choices.values():
        action.add_argument(
            "--home", metavar="FOLDER", help="folder of everything local (default ~/.agentops)"
        )
        action.add_argument("--store", metavar="URL", help="the store, when it is not the home's")
        action.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked."""
    if chosen.action == "delete" and not chosen.yes and not _sure(chosen.project):
        return 1
    with account(chosen.home, chosen.store) as here:
        shown: Any
        if chosen.action == "list":
            shown = here.list_projects()
            if not chosen.json:
                listing.print_table(
                    (("project", "left"), ("name", "text"), ("created", "left")),
                    [(one["project_id"], one["name"], (one["created_at"] or "-")[:16]) for one in shown],
                )
        elif chosen.action == "create":
            shown = here.create_project(chosen.name)
            if not chosen.json:
                print(shown["project_id"])
                print(f"Make a key for it: agentops keys create --project {shown['name']!r}")
        elif chosen.action == "rename":
            shown = here.rename_project(chosen.project, chosen.name)
            if not chosen.json:
                print(f"{shown['project_id']} is {shown['name']!r} now.")
        else:
            here.delete_project(chosen.project)
            shown = {"deleted": chosen.project}
            if not chosen.json:
                print(f"{chosen.project!r} is deleted.")
        if chosen.json:
            listing.print_json(shown)
    return 0


def _sure(name: str) -> bool:
    if not sys.stdin.isatty():
        raise AgentOpsError("Deleting a project removes all that was recorded in it; say --yes to do so.")
    return (
        input(f"Delete project {name!r} with its keys and everything recorded in it? Type its name: ") == name
    )
