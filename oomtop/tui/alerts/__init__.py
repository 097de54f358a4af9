"""The screen that lists alerts."""
