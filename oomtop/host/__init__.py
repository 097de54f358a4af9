"""Facts in: one kernel file, or one family of files, is one module with a dataclass, a parser and a reader."""
