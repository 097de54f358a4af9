"""The full-screen monitor of many machines."""
