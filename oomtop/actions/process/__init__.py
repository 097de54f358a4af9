"""Actions on processes: kill, freeze, adjust, page out."""
