"""What stands around a message: prefixes, quoting, JSON, the journal's formats, lines broken in two."""
