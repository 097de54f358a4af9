"""Pure functions from snapshots and history to an `Assessment`: no file, clock or process access."""
