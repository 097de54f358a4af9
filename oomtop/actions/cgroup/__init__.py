"""Actions on cgroups: kill, limit, reclaim."""
