"""The ordered list of what can run out, and what is foretold of each."""
