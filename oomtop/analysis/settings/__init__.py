"""Kernel settings that matter for memory, and verdicts on them."""
