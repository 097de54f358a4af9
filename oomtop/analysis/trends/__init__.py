"""Rates, slopes and growth."""
