"""Plain text and JSON output of the commands."""
