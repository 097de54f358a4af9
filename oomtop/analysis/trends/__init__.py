"""Rates, slopes, growth and time to exhaustion."""
