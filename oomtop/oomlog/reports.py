"""From records to `OomEvent`s: the state machine that follows one report of the kernel's OOM killer.

A trigger line opens a report; `oom-kill:`, `Kill process` and `Killed process` open one where none is open,
because the kernel rate-limits the report but never the kill line (headless kills are normal).  A report ends
by its grammar, at any pace of the console: with the next trigger, with the next victim unless a whole cgroup dies,
or when the clock goes back.  A kill line that comes late belongs to it if the table or its age allow.
Decided by the text alone: distributions carry lines of later kernels back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from oomtop.frozen import replace
from oomtop.oomlog import blocks, lines
from oomtop.oomlog.carriers.record import LOG_KERN, Record, has_any
from oomtop.oomlog.event import OomEvent, Selected, Trigger, Victim

_Step = Callable[[Record, str], bool]

# What a line holds that any of the shapes below may fit; most lines of a report are rows and traces.
_TELLS = (
    "invoked oom-killer", "ill process", "illed process", "oom-kill:", "Mem-Info", "CPU: ", "Pid: ", ": usage ",
    "Task in /", "Tasks in /", "oom_reaper", "Kernel panic", "ut of memory", "ut of Memory", "sysrq: ", "SysRq : ",
)  # fmt: skip
KILLS = ("Memory cgroup out of memory: Killed process ", "Out of memory: Killed process ")
_PAUSE = 10.0
# A report without a table, and the next kill line: further apart than any console takes, they are two.
_LONGEST_PAUSE = 600.0
_MAX_RAW = 4000
_MAX_LINES = 200_000


@dataclass(slots=True)
class _Open:
    """A report under way."""

    event: OomEvent
    last: float | None
    raw: list[str] = field(default_factory=list)
    victims: list[Victim] = field(default_factory=list)
    reaped: list[int] = field(default_factory=list)
    unverified: str | None = None
    is_announced: bool = False
    """Whether only SysRq's own line was seen so far."""
    is_cut: bool = False
    """Whether the log begins in the middle of this report, behind its header."""
    is_plain: bool = True
    """Whether nothing but kill lines told of it."""

    def _named(self) -> list[Victim]:
        """Return the kernel's choice as the victim of a report whose kill line is not in the log."""
        chosen = self.event.selected
        if chosen is None or chosen.pid is None or chosen.name is None or self.event.no_killable_processes:
            return []
        # Kernels that print a score may kill a child instead, and a whole report that ends there was cut off.
        if self.event.has_header and chosen.score is not None:
            return []
        return [Victim(chosen.pid, chosen.name, chosen.uid)]

    def close(self, complete: bool) -> OomEvent:
        """Return the event with all that its lines tell."""
        known: dict[int, Victim] = {}
        for victim in self.victims:
            # A group kill names its first victim twice, the second time when half of its memory is gone.
            known.setdefault(victim.pid, victim)
        victims = list(known.values()) or self._named()
        if self.is_plain and len(victims) == 1 and not self.reaped:
            # One of a storm, as it was begun: a copy of all its fields takes longer than all else.
            begun = self.event
            return OomEvent(
                "kernel", begun.type, begun.time, begun.kernel_time, begun.host, begun.source, begun.time_text,
                self.unverified, victim=victims[0], outcome="killed", raw=tuple(self.raw),
            )  # fmt: skip
        event = replace(
            self.event,
            victim=victims[0] if victims else None,
            other_victims=tuple(victims[1:]),
            outcome="killed" if victims else "failed" if self.event.no_killable_processes else None,
            reaped_pids=tuple(self.reaped),
            complete=complete and self.event.has_header and bool(self.victims),
            raw=tuple(self.raw[:_MAX_RAW]),
            unverified=self.unverified,
        )
        has_blocks = event.has_header or self.is_cut
        return blocks.with_blocks(event, [line.strip() for line in self.raw]) if has_blocks else event


class ReportReader:
    """Turns records into events; one reader per log."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: _Open | None = None
        self._ended: OomEvent | None = None
        self._steps = self._all_steps()
        self._head: list[str] | None = []
        """The lines before the first event: a ring buffer that wrapped begins in the middle of a report."""

    def feed(self, record: Record) -> tuple[OomEvent, ...]:
        """Take one record in; return the events that ended with it."""
        if record.facility != LOG_KERN:
            return ()
        ended = self._close_if_over(record)
        handled = self._handle(record)
        if self._head is not None and len(self._head) < _MAX_RAW:
            self._head.append(record.text)
        if self._open is not None and (handled or self.awaits_kill):
            if handled:
                self._open.last = record.kernel_time
                self._open.unverified = self._open.unverified or record.unverified
            if len(self._open.raw) < _MAX_LINES:
                self._open.raw.append(record.text)
        begun, self._ended = self._ended, None
        return (*ended, begun) if begun else ended

    def keep(self, texts: Sequence[str], stamps: tuple[float, float] | None) -> bool:
        """Take lines in that none of the shapes here fits; False where one may end the report.

        `stamps` are the earliest and the latest that the lines have, in seconds.
        """
        report = self._open
        if report is None:
            return not texts
        if stamps is not None and report.last is not None:
            back, on = stamps[0] - report.last, stamps[1] - report.last
            if back < -_PAUSE or (report.victims and on > _LONGEST_PAUSE):
                return False
        if self._head is not None:
            self._head += texts[: _MAX_RAW - len(self._head)]
        if not report.victims:
            report.raw += texts[: _MAX_LINES - len(report.raw)]
        return True

    @property
    def lone_victim(self) -> int | None:
        """The pid of the only victim of a kill line without a report, which the next other process's kill ends."""
        report = self._open
        is_lone = report is not None and report.is_plain and not report.reaped and len(report.victims) == 1
        return report.victims[0].pid if report is not None and is_lone else None

    def keep_kills(self, kills: Sequence[OomEvent]) -> list[OomEvent]:
        """Take kills in, each of another process than the one before; return the events that ended."""
        *ended, last = [*self.finish(), *kills]
        self._open = _Open(last, last.kernel_time, [*last.raw], [last.victim] if last.victim else [])
        return ended

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the event under way as far as it is known; it stays open for what follows."""
        event, victims = (self._open.event, self._open.victims) if self._open else (None, [])
        is_telling = event and (victims or event.panic or event.no_killable_processes)
        return (self._open.close(complete=True),) if self._open and is_telling else ()

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the event under way, even a report whose kill line never came; the log has ended."""
        report, self._open = self._open, None
        return (report.close(complete=True),) if report else ()

    @property
    def is_collecting(self) -> bool:
        """Whether a report with a header is under way, whose table may be thousands of lines long."""
        return self._open is not None and self._open.event.has_header

    @property
    def awaits_kill(self) -> bool:
        """Whether a report is under way whose table, and then its kill line, is still to come."""
        return self._open is not None and self._open.event.has_header and not self._open.victims

    def _close_if_over(self, record: Record) -> tuple[OomEvent, ...]:
        report = self._open
        if report is None or report.last is None or record.kernel_time is None:
            return ()
        pause = record.kernel_time - report.last
        # A clock that went back is the next boot.
        if pause >= -_PAUSE and not (pause > _PAUSE and self._is_of_another(report, record.text, pause)):
            return ()
        return self.finish()

    @staticmethod
    def _is_of_another(report: _Open, text: str, pause: float) -> bool:
        """Whether a kill line after a pause is not of this report: its pid is in no row, or the pause is too long."""
        kill = lines.KILLED.match(text.strip()) if "illed process " in text else None
        if report.victims or kill is None:
            return bool(report.victims) and pause > _LONGEST_PAUSE
        rows = [line for line in report.raw if blocks.is_table_row(line.strip())]
        is_listed = any(re.match(rf"\s*\[\s*{kill['pid']}\]", line) for line in rows)
        return not is_listed if rows else pause > _LONGEST_PAUSE

    def _begin(self, record: Record, type_: str = "unknown", header: Mapping[str, object] | None = None) -> _Open:
        """Open a report; `header` has the fields that its trigger line tells."""
        if self._open and not self._open.is_announced:
            self._ended = self._open.close(complete=True)
        event = OomEvent(
            "kernel", type_, record.time, record.kernel_time, record.host, self._source, record.time_text,
            **header or {},  # type: ignore[arg-type]
        )  # fmt: skip
        self._open = _Open(event, record.kernel_time, is_plain=not header)
        head, self._head = self._head, None
        if head and not event.has_header and any(blocks.is_table_header(line.strip()) for line in head):
            self._open.is_cut, self._open.is_plain, self._open.raw = True, False, head
        return self._open

    def _current(self, record: Record, new_victim: int | None = None, type_: str = "unknown") -> _Open:
        """Return the report that a kill line belongs to, opening a headless one where there is none."""
        report = self._open
        if report is not None and report.victims and new_victim is not None and report.event.oom_group is None:
            is_known = any(victim.pid == new_victim for victim in report.victims)
            report = report if is_known else None
        return report or self._begin(record, type_)

    def _change(self, **changes: object) -> None:
        if self._open is not None:
            self._open.event = replace(self._open.event, **changes)  # type: ignore[arg-type]
            self._open.is_plain = False

    def _handle(self, record: Record) -> bool:
        """Apply the first shape that the line has; return whether it had one."""
        text = record.text.strip()
        if text.startswith(KILLS) and self._on_killed(record, text):
            return True
        is_typed = self._open is None or self._open.event.type != "unknown"
        if is_typed and (text.startswith("[") or "+0x" in text):
            return False
        is_told = has_any(text, _TELLS) and any(step(record, text) for step in self._steps)
        return is_told or self._on_trace(text)

    def _all_steps(self) -> tuple[_Step, ...]:
        return (
            self._on_trigger, self._on_killed, self._on_selected, self._on_summary, self._on_mem_info, self._on_cpu,
            self._on_usage, self._on_memcg_task, self._on_group, self._on_reaped, self._on_end, self._on_sysrq,
        )  # fmt: skip

    def _on_trigger(self, record: Record, text: str) -> bool:
        match = lines.TRIGGER.match(text) if " invoked oom-killer: " in text else None
        if match is None:
            return False
        order = int(match["order"])
        header = {
            "has_header": True,
            "trigger": Trigger(lines.last_message(match["comm"])),
            "gfp_mask": match["mask"],
            "gfp_flags": match["flags"],
            "order": order,
            "trigger_oom_score_adj": lines.number(match["adj"]),
        }
        self._begin(record, "sysrq" if order == -1 else "unknown", header)
        return True

    def _on_killed(self, record: Record, text: str) -> bool:
        match = lines.KILLED.match(text) if "illed process " in text else None
        if match is None or not lines.is_kernel_message(match["msg"]):
            return False
        # Without message and sizes it could be anybody's sentence, unless the kernel just named its choice.
        if match["msg"] is None and match["sizes"] is None and self._open is None:
            return False
        report = self._current(record, int(match["pid"]), lines.type_by(match["msg"]))
        report.victims.append(lines.victim_of(match))
        self._note_message(match["msg"])
        return True

    def _note_message(self, message: str | None) -> None:
        event = self._open.event if self._open else None
        if event is None or message is None:
            return
        told = lines.type_by(message)
        if event.type == "unknown" or (told == "memcg" and event.type != told):
            self._change(type=told)
        if "oom_kill_allocating_task" in message:
            self._change(allocating_task=True)

    def _on_selected(self, record: Record, text: str) -> bool:
        match = lines.SELECTED.match(text) if "ill process " in text else None
        if match is None or not lines.is_kernel_message(match["msg"]):
            return False
        report = self._current(record)
        if report.victims:
            self._begin(record)
        self._change(selected=lines.selected_of(match))
        self._note_message(match["msg"])
        return True

    def _on_summary(self, record: Record, text: str) -> bool:
        match = lines.SUMMARY.match(text) if text.startswith("oom-kill:") else None
        if match is None:
            return self._on_cut_summary(text)
        report = self._current(record, int(match["pid"]))
        rest, memcg = match["rest"], lines.summary_field(match["rest"], "oom_memcg")
        constraint = match["constraint"]
        self._change(
            constraint=constraint,
            **lines.allowed_by(rest),
            oom_memcg=memcg or report.event.oom_memcg,
            task_memcg=lines.summary_field(rest, "task_memcg") or report.event.task_memcg,
            type=lines.type_of(report.event.type, constraint, memcg),
            selected=Selected(int(match["pid"]), match["task"], int(match["uid"])),
        )
        return True

    def _on_cut_summary(self, text: str) -> bool:
        """Take what is left of a summary line that a terminal cut or another CPU's text split."""
        match = lines.CUT_SUMMARY.match(text)
        if match is None or self._open is None:
            return False
        event = self._open.event
        rest, is_whole, task = match["rest"].partition(",task=")
        name, is_named, _ = task.partition(",pid=")
        memcg = lines.summary_field(rest, "oom_memcg")
        self._change(
            constraint=match["constraint"],
            **lines.allowed_by(rest),
            oom_memcg=memcg or event.oom_memcg,
            task_memcg=(lines.summary_field(rest, "task_memcg") if is_whole else None) or event.task_memcg,
            # The pid may have lost its last digits; the name is whole where the pid follows it.
            selected=Selected(None, name) if is_named and event.selected is None else event.selected,
            type=lines.type_of(event.type, match["constraint"], memcg),
        )
        return True

    def _on_mem_info(self, record: Record, text: str) -> bool:
        """Only an OOM of the machine, or of some of its nodes, prints Mem-Info."""
        if self._open is None or not text.startswith("Mem-Info:"):
            return False
        if self._open.event.type == "unknown":
            self._change(type="global")
        return True

    def _on_cpu(self, record: Record, text: str) -> bool:
        report = self._open
        if report is None or report.event.kernel or not text.startswith(("CPU: ", "Pid: ")):
            return False
        match = lines.CPU.match(text)
        if match is None or report.event.trigger is None:
            return False
        pid = lines.number(match["pid"] or match["old_pid"])
        self._change(
            trigger=replace(report.event.trigger, pid=pid, uid=lines.number(match["uid"])), kernel=match["kernel"]
        )
        return True

    def _on_usage(self, record: Record, text: str) -> bool:
        match = lines.USAGE.match(text) if self._open is not None else None
        if match is None:
            return False
        usage, limit = int(match["usage"]) * 1024, int(match["limit"]) * 1024
        if match["what"] == "memory":
            self._change(memcg_usage=usage, memcg_limit=limit, type="memcg")
        elif match["what"] == "kmem":
            self._change(memcg_kmem_usage=usage)
        else:
            self._change(memcg_swap_usage=usage, memcg_swap_limit=limit)
        return True

    def _on_memcg_task(self, record: Record, text: str) -> bool:
        match = lines.MEMCG_TASK.match(text) if text.startswith("Task in ") and self._open else None
        if match is None:
            return False
        self._change(task_memcg=match["task"], oom_memcg=match["limit"], type="memcg")
        return True

    def _on_group(self, record: Record, text: str) -> bool:
        match = lines.GROUP.match(text) if text.startswith("Tasks in ") else None
        if match is None:
            return False
        self._current(record)
        self._change(oom_group=match["path"])
        return True

    def _on_reaped(self, record: Record, text: str) -> bool:
        match = lines.REAPED.match(text) if self._open is not None else None
        if match is None or self._open is None:
            return False
        self._open.reaped.append(int(match["pid"]))
        return True

    def _on_sysrq(self, record: Record, text: str) -> bool:
        """Take SysRq's own line as an event, which the report behind it goes on with."""
        if not text.startswith(("sysrq: ", "SysRq : ")) or lines.MANUAL.match(text) is None:
            return False
        self._begin(record, "sysrq").is_announced = True
        return True

    def _on_trace(self, text: str) -> bool:
        if self._open is None or self._open.event.type != "unknown" or "+0x" not in text:
            return False
        if lines.MEMCG_TRACE.search(text):
            self._change(type="memcg")
        return False

    def _on_end(self, record: Record, text: str) -> bool:
        panic = lines.PANIC.match(text)
        if panic is None and lines.NO_VICTIM.match(text) is None:
            return False
        self._current(record)
        if panic is not None:
            self._change(panic=panic["why"].strip())
        if panic is None or "no killable processes" in panic["why"]:
            self._change(no_killable_processes=True)
        return True
