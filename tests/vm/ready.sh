#!/usr/bin/env bash
# Whether everything is there that the tests in their own machines use; `tests/vm/ready.sh packages` names it for apt.
if [ "${1:-}" = packages ]; then
    echo qemu-system-x86 linux-image-amd64 udev kmod htop earlyoom btrfs-progs xfsprogs \
        systemd systemd-oomd podman crun docker.io containerd runc busybox-static
    exit
fi
for program in qemu-system-x86_64 htop earlyoom modprobe udevadm mkfs.btrfs mkfs.xfs \
    podman crun docker dockerd busybox; do
    command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || [ -x "/sbin/$program" ] || exit 1
done
[ -x /lib/systemd/systemd ] && [ -x /lib/systemd/systemd-oomd ] && ls /boot/vmlinuz-*-amd64 2>/dev/null | grep -qv cloud
