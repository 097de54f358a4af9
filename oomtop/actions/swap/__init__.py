"""Adding and removing swap: files, zram, fstab."""
