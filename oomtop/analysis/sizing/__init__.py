"""Recommended limits from observed peaks."""
