"""The memory monitor for a Linux machine that is running out of memory."""

__version__ = "0.1.0"
