"""`python -m agentops.cli`: the command `agentops` without its script."""

import sys

from agentops.cli import main

sys.exit(main())
