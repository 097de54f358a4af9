"""Cgroups: limits, usage, working set."""
