"""A closer look at one process: mappings, runtime, tools."""
