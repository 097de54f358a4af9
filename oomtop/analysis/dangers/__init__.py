"""The ordered list of dangers and their forecasts."""
