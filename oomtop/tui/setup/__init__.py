"""The setup screen and saving what it changes."""
