"""Explanation of one OOM event from its report."""
