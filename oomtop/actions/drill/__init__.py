"""Drills: stress tests in a limited cgroup."""
