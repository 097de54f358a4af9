"""Actions on the whole machine: drop caches, compact, sysctl, unit settings."""
