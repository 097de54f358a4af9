"""Thought: pure functions from snapshots and history to an `Assessment`; no file, no clock, no process."""
