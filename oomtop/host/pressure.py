"""`/proc/pressure/*` and a cgroup's `*.pressure`: pressure stall information (Documentation/accounting/psi.rst).

Sample line: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PressureLine:
    """One line: the share of time stalled in per cent (0 to 100) over three windows, and the total since boot."""

    avg10: float
    avg60: float
    avg300: float
    total_us: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """`some`: at least one task waited; `full`: all did.  `full` of cpu is absent before 5.13."""

    some: PressureLine
    full: PressureLine | None = None
