"""Alerts of the configuration: judged on every assessment, told to the screen, a command or a webhook."""
