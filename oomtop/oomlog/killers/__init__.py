"""Killers other than the kernel's OOM killer: one module each, with its lines, its stories and its search needles."""
