"""The configuration file: reading, checking, editing."""
