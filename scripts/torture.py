"""What `make torture` does: kill programs and servers, break networks and disks, and count what is stored.

    make torture                            about a quarter of an hour
    make torture SCENARIO=servers_killed SIZE=10 SEED=7

Each scenario is seeded: the same seed kills after the same waits; what runs at that moment is the machine's
choice. The exit code is 1 when anything was lost or stored twice. docs/durability.md holds one run's figures.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.process import torture
from tests.process.torture_parts import HEADINGS, Figures

SIZES: dict[str, int] = {
    "processes_killed": 200,
    "servers_killed": 100,
    "both_killed": 25,
    "server_late": 10,
    "network_faults": 6,
    "clock_steps": 10,
    "disk_full": 3000,
    "forked_children": 20,
}


def main() -> int:
    """Run the scenarios one after the other and print their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", choices=SIZES, action="append", help="only this one (repeatable)")
    parser.add_argument(
        "--size", type=int, help="kills, rounds, events or children: what the scenario counts"
    )
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    done: list[Figures] = []
    for name in chosen.scenario or SIZES:
        scenario: Callable[[Path, int, int], Figures] = getattr(torture, name)
        folder = Path(tempfile.mkdtemp(prefix=f"agentops-torture-{name}-"))
        began = time.monotonic()
        figures = scenario(folder, chosen.seed, chosen.size or SIZES[name])
        figures.seconds = time.monotonic() - began
        done.append(figures)
        print(f"{'holds ' if figures.holds else 'BROKEN'} {name} ({figures.seconds:.0f} s)", flush=True)
        for note in figures.notes:
            print(f"       {note}", flush=True)
        if figures.interrupted:
            print(
                f"       {figures.interrupted} calls were interrupted after they had got a number", flush=True
            )
        if figures.holds:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"       everything is kept in {folder}", flush=True)
    print("\n" + HEADINGS)
    for figures in done:
        print(figures.row())
    return 0 if all(figures.holds for figures in done) else 1


if __name__ == "__main__":
    sys.exit(main())
