"""Colours, themes, glyphs and names of keys; imported by every other package of the screen."""
