"""Killers other than the kernel's OOM killer: one module each, with the patterns of its lines and its search needle."""
