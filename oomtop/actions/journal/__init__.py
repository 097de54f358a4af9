"""The audit log of actions, and requests as JSON."""
