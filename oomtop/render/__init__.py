"""Plain text and JSON of everything the commands print."""
