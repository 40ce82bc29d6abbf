"""Programs that measure, one a room: `make bench-<room>`."""
