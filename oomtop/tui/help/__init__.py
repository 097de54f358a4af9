"""The help screen and what it explains."""
