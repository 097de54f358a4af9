#!/usr/bin/env bash
# Whether everything is there that the tests in their own machines use.
for program in qemu-system-x86_64 htop earlyoom modprobe udevadm; do
    command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || [ -x "/sbin/$program" ] || exit 1
done
ls /boot/vmlinuz-*-amd64 >/dev/null 2>&1
