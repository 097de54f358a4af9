"""Facts out: the only modules that write to the kernel or signal a process."""
