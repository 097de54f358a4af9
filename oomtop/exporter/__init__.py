"""`/metrics` for Prometheus and everything that scrapes it: one thread samples, scrapes only read."""
