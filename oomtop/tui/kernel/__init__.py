"""The Kernel tab."""
