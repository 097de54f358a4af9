"""The full-screen monitor: everything that knows Textual, Rich or plotext."""
