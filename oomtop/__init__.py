"""The memory monitor for a Linux machine that is running out of memory."""

__version__ = "0.1.0"
VERSION = f"oomtop {__version__} (oomtop-monitor: memory and OOM kills of Linux)"
"""The text of `--version`; it tells this program from others named oomtop."""
