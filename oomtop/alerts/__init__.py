"""Configured alerts: evaluated on every assessment, sent to the screen, a command or a webhook."""
