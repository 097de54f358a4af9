"""The `Assessment`: what the analysis returns."""
