"""The section names of an ELF file, by which a statically linked runtime such as Go's is known (elf(5)).

Sample: a Go program has `.go.buildinfo` and `.gopclntab`, even when it is stripped.
"""

from __future__ import annotations

import os
import struct

_MOST_SECTIONS = 512
_MOST_NAMES = 1 << 16
# e_shoff, e_shentsize, e_shnum, e_shstrndx; sh_name, sh_offset, sh_size, by class.
_HEADER = {1: ("32xI10xHHH", "I12xII", 52), 2: ("40xQ10xHHH", "I20xQQ", 64)}


def read_section_names(descriptor: int) -> frozenset[str]:
    """Return the names of the sections of an open file, none where it is no ELF file or is stripped of them.

    Raises:
        OSError: the file cannot be read.
    """
    start = os.pread(descriptor, 64, 0)
    if len(start) < 64 or start[:4] != b"\x7fELF" or start[4] not in _HEADER:
        return frozenset()
    header, section, size = _HEADER[start[4]]
    order = ">" if start[5] == 2 else "<"
    offset, width, count, names_at = struct.unpack(order + header, start[:size])
    count = min(count, _MOST_SECTIONS)
    table = _read(descriptor, width * count, offset)
    if width < struct.calcsize(order + section) or len(table) < width * count or names_at >= count:
        return frozenset()
    rows = [struct.unpack_from(order + section, table, width * index) for index in range(count)]
    _, text_at, text_size = rows[names_at]
    text = _read(descriptor, min(text_size, _MOST_NAMES), text_at)
    return frozenset(_name(text, name) for name, _, _ in rows)


def _read(descriptor: int, size: int, offset: int) -> bytes:
    """Read at an offset that the file itself names, and that may be nonsense."""
    return os.pread(descriptor, size, offset) if offset < 1 << 62 else b""


def _name(text: bytes, at: int) -> str:
    end = text.find(b"\0", at)
    return text[at : end if end >= 0 else None].decode("utf-8", "backslashreplace")
