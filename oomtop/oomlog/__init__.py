"""The kernel log and the other killers: records (carriers) to reports (state machine) to `OomEvent`."""
