"""Actions: the only package that writes to the kernel or signals a process."""
