"""The Processes tab: memory bar, gauges, outlook and event pane around the table."""
