"""Sources of ticks: the live machine, a recording, a replay."""
