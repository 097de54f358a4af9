"""The kernel's choice of a victim: badness, ranking, explanation."""
