"""More machines than one: Prometheus, which scrapes `oomtop exporter` on each, is asked; nothing is stored here."""
