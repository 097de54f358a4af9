"""The stress test in a cgroup of its own."""
