"""Who else says that an OOM kill happened: service managers, container engines, batch systems, clouds, the kernel."""
