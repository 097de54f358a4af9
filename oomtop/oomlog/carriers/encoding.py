"""Text in other encodings: UTF-16 as PowerShell writes it, with a byte order mark or without, and UTF-8 with one."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from typing import BinaryIO

_START = 512
_CHUNK = 1 << 20


def encoding_of(start: bytes) -> str | None:
    """Return the encoding of text that is not UTF-8, by its first bytes."""
    if start.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    return _by_zeros(start[:_START])


def _by_zeros(start: bytes) -> str | None:
    """Every second byte of Latin text in UTF-16 is zero; binary data has zeros anywhere."""
    half = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if half < 8 or even + odd < half * 0.9:
        return None
    return "utf-16-le" if even == 0 else "utf-16-be" if odd == 0 else None


class Recoded(io.RawIOBase):
    """A stream of bytes in another encoding, as UTF-8."""

    def __init__(self, read: Callable[[int], bytes], encoding: str) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill a buffer with UTF-8."""
        while not self._rest:
            data = self._read(_CHUNK)
            text = self._decoder.decode(data, final=not data)
            self._rest = text.lstrip("\ufeff").encode("utf-8", "replace")
            if not data:
                break
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


class Prefixed(io.RawIOBase):
    """A stream with bytes that were already read put back in front."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream = start, stream

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill a buffer."""
        data = self._start[: len(buffer)] or self._stream.read(len(buffer))
        self._start = self._start[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def as_utf8(start: bytes, stream: BinaryIO) -> BinaryIO:
    """Return a stream as UTF-8; `start` was read from it already."""
    whole: io.RawIOBase = Prefixed(start, stream)
    encoding = encoding_of(start)
    return io.BufferedReader(whole if encoding is None else Recoded(io.BufferedReader(whole).read, encoding), _CHUNK)
