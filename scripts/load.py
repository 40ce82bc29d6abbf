"""What `make load` does: hundreds of sessions in tasks and threads, for a minute; then a look at every event.

    make load
    make load SECONDS=300

200 asyncio sessions and 32 threads at once, with nested decorators, generators, async generators, pools,
callbacks, cancelled tasks and exceptions. Fails at the first event of another session or parent.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.process.test_sdk_load import load


def main(seconds: float) -> None:
    """Run the load and say what was seen."""
    folder = Path(tempfile.mkdtemp(prefix="agentops-load-"))
    began = time.monotonic()
    try:
        said = load(folder, seconds)
    except AssertionError:
        print(f"BROKEN: everything is kept in {folder}", flush=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    print(f"holds ({time.monotonic() - began:.0f} s): {said}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
