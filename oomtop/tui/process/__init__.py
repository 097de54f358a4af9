"""The screen of one process, and the text screens opened from it."""
