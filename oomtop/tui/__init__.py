"""The full-screen monitor; the only package that imports Textual, Rich or plotext."""
