"""`oomtop swap`: add a swap file or zram, or turn a swap area off."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from oomtop.commands.arguments import priority, size
from oomtop.commands.consent import add_consent, consent_of

if TYPE_CHECKING:
    from oomtop.actions.base.requests import Request

HELP = "add a swap file or zram, or turn swap off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    kinds = parser.add_subparsers(title="action", dest="kind", required=True, metavar="add|zram|off")
    file = kinds.add_parser("add", help="add a swap file", allow_abbrev=False)
    file.add_argument("path", metavar="PATH")
    file.add_argument("size", type=size, metavar="SIZE", help="such as 4G")
    file.add_argument(
        "--priority", type=priority, metavar="N", help="priority from 0 to 32767; the highest is used first"
    )
    file.add_argument("--persist", action="store_true", help="also add it to /etc/fstab, after making a backup copy")
    zram = kinds.add_parser("zram", help="add compressed swap in memory", allow_abbrev=False)
    zram.add_argument(
        "size", type=size, metavar="SIZE", help="size of the device, as the uncompressed size of the pages"
    )
    zram.add_argument("--algorithm", metavar="NAME", help="lz4, lzo-rle, zstd ... (default: the kernel's)")
    zram.add_argument(
        "--priority",
        type=priority,
        default=100,
        metavar="N",
        help="priority from 0 to 32767; the highest is used first (default: 100)",
    )
    off = kinds.add_parser("off", help="turn a swap area off if its contents fit elsewhere", allow_abbrev=False)
    off.add_argument("path", metavar="PATH")
    off.add_argument(
        "--remove", action="store_true", help="also remove its file or zram device and its line in /etc/fstab"
    )
    off.add_argument(
        "--override", action="store_true", help="also if its contents do not fit: the OOM killer may run meanwhile"
    )
    for command in (file, zram, off):
        add_consent(command)


def run(options: argparse.Namespace) -> int:
    """Change swap."""
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(lambda snapshot: _request(options), consent, guard)


def _request(options: argparse.Namespace) -> Request:
    from oomtop.actions.base.requests import SwapFileRequest, SwapOffRequest, ZramRequest

    if options.kind == "zram":
        return ZramRequest(options.size, options.algorithm, options.priority)
    path = os.path.abspath(options.path)
    if options.kind == "add":
        return SwapFileRequest(path, options.size, options.priority, options.persist)
    return SwapOffRequest(path, options.remove, options.override)
