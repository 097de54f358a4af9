"""`Facts`: the input of the finding rules, which are pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oomtop.analysis.model.assessment import (
    CgroupFigures,
    Finding,
    Growth,
    MemoryAccount,
    PartGrowth,
    PressureFigures,
    ProcessRow,
    SwapAccount,
)  # fmt: skip
from oomtop.analysis.model.danger import Danger
from oomtop.analysis.trends.slope import Curve
from oomtop.frozen import frozen
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.meminfo import Meminfo
from oomtop.host.zoneinfo import Zone


@frozen
class Facts:
    """The results of a tick so far, and facts that only rules need."""

    memory: MemoryAccount
    swap: SwapAccount
    pressure: PressureFigures
    dangers: Sequence[Danger]
    rows: Sequence[ProcessRow]
    growers: Sequence[ProcessRow]
    groups: Sequence[CgroupFigures]
    lasting: Sequence[tuple[ProcessRow, Curve]] = ()
    """The largest processes with their last half hour."""
    kernel: KernelFacts | None = None
    meminfo: Meminfo | None = None
    zones: Sequence[Zone] = ()
    page_size: int = 4096
    parts: Sequence[PartGrowth] = ()
    """Growing parts of the memory account, the fastest first."""
    growths: Sequence[Growth] = ()


Rule = Callable[[Facts], "Finding | None"]
