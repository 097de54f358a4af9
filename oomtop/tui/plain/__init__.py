"""The first tab without Textual: the first picture of every start, and the screen where Textual cannot be loaded."""
