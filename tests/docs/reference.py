"""`make docs`: docs/json.md from the schemas, docs/metrics.md from what the exporter serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from oomtop.analysis.model.assessment import (
    CgroupFigures,
    Finding,
    FiringAlert,
    Growth,
    PressureFigures,
    Severity,
    SinceBoot,
)
from oomtop.exporter.collector import LatestCollector
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.units import GIB
from tests.tui.factories import calm_danger, make_assessment, make_row, make_victims

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "oomtop" / "schemas"
ORDER = (
    "top", "events", "doctor", "recommend", "backtest", "headroom", "check", "action", "undo", "settings", "drill", "fleet",
    "config", "rules", "alert",
)  # fmt: skip
_JSON_HEAD = """# JSON

Every `--json` prints one object, on one line, with the version of its schema; the webhook of an alert posts one, and its
command reads it from standard input. Sizes are bytes, times seconds, moments Unix time, shares 0 to 1, unless the name says
otherwise (`total_us`, `ram_pages`) or the table: a `start_time` counts from boot. What is not known is `null`, never 0 or -1. Names are as the kernel gives them, and may
hold anything: quote them before a terminal or a shell sees them (`jq` without `-r` does).

`schema` changes when a field goes away or means something else; new fields may come at any time. The schemas are JSON Schema
2020-12 files in [oomtop/schemas](../oomtop/schemas) and in the wheel; the tests hold every output against them.

```
oomtop top --json | jq '.dangers[0] | {name, state, median, dying}'
oomtop top --json --samples 30 --interval 1 | jq '[.processes[] | select(.growth > 1e6) | {pid, name, growth}]'
oomtop events --json | jq '.events[] | select(.oom_memcg) | {time, oom_memcg, victim: .victim.name}'
```
"""
_METRICS_HEAD = """# Metrics

What `oomtop exporter` serves at `/metrics`. Bytes, seconds and shares from 0 to 1; counters end in `_total`. A figure that
is not known has no sample; a time to exhaustion is `+Inf` where no end is foreseen. Labels are printable and at most 200 characters
long; of a longer path the middle is left out. At most `--top` processes, programs and cgroups are named, but for the counters
of cgroups: they have every limited one, up to 500, and begin at 0, so that `increase()` counts every kill. The label `cgroup` is
the path below the mount of the memory controller, the same in all of them: join `on (instance, cgroup)`. Beside these there are
the exporter's own `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and their kin.

To alert on any kill by the kernel use `oomtop_kernel_oom_kills_total`; to see which killer and which cgroup, and for kills by
daemons, `oomtop_oom_kills_total`, which needs a readable log; for one limited cgroup `oomtop_cgroup_oom_kills_total`.

| metric | type | labels | what it is |
| --- | --- | --- | --- |
"""


def json_reference() -> str:
    """Return docs/json.md."""
    return _JSON_HEAD + "".join(_of_schema(name) for name in ORDER)


def _of_schema(name: str) -> str:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    lines = [f"\n## {schema['title']}", "", f"{schema['description']} Schema: `{name}.json`.", *_table(schema)]
    for part, inside in schema.get("$defs", {}).items():
        lines += ["", f"`{part}`:", *_table(inside)]
    return "\n".join(lines) + "\n"


def _table(schema: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Iterator[str]:
    yield from ("", "| field | type | what it is |", "| --- | --- | --- |")
    for field, spec in schema["properties"].items():
        yield f"| `{field}` | {_type(spec)} | {spec.get('description', '')} |"


def _type(spec: Mapping[str, object]) -> str:
    """Return a type in words."""
    if "$ref" in spec:
        return f"`{str(spec['$ref']).rpartition('/')[2]}`"
    if "oneOf" in spec:
        parts = spec["oneOf"]
        assert isinstance(parts, list)
        return ", ".join(_type(part) for part in reversed(parts))
    if "enum" in spec or "const" in spec:
        values = spec.get("enum", [spec.get("const")])
        assert isinstance(values, list)
        return ", ".join("null" if value is None else f"`{value}`" for value in values)
    if spec.get("type") == "array":
        inside = spec["items"]
        assert isinstance(inside, dict)
        return f"array of {_type(inside)}"
    if spec.get("type") == "object":
        inside = spec["additionalProperties"]
        assert isinstance(inside, dict)
        return f"object of {_type(inside)}"
    kind = spec["type"]
    return ", ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def metrics_reference() -> str:
    """Return docs/metrics.md."""
    rows = (
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"
        for name, kind, labels, text in served()
    )
    return _METRICS_HEAD + "\n".join(rows) + "\n"


def served() -> Iterator[tuple[str, str, Sequence[str], str]]:
    """Yield (name, type, labels, help) of every metric, from a machine that has all of them."""
    line = PressureLine(0.1, 0.1, 0.1, 1000)
    alert = FiringAlert("low", Severity.WARNING, "", "low", 0.0)
    row = make_row(growth=1e6)
    group = Cgroup(
        "/a",
        GIB,
        peak=GIB,
        max=2 * GIB,
        swap_current=0,
        events=CgroupEvents(high=3, max=2, oom_kill=1),
        pressure=Pressure(line, line),
    )
    limited = CgroupFigures(group, "a", 2 * GIB, GIB, None, make_victims([row]))
    killed = OomEvent("kernel", "memcg", 1000.0, oom_memcg="/a", victim=Victim(7, "a"))
    findings = (Finding("leak", Severity.WARNING, "", "", ""),)
    collector = LatestCollector(10)
    collector.put(
        make_assessment(
            (row,),
            limit=limited,
            events=(killed,),
            findings=findings,
            cgroups=(limited,),
            dangers=(calm_danger("RAM", 1000.0), calm_danger("/a", 100.0)),
            pressure=PressureFigures(
                Pressure(line, line), Pressure(line, line), 0.0, 0.0, 0.0, 0, None, SinceBoot(1, 2, 3, 4, 5)
            ),
            alerts=(alert,),
            growths=(Growth("user", "alice", None, None, GIB, 1e6, None, None, (GIB,)),),
        ),
        [("low", True)],
    )
    for family in collector.collect():
        assert family.samples, f"{family.name}: this machine has to have one"
        labels = family.samples[0].labels
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        yield name, family.type, list(labels), family.documentation


def main() -> None:
    """Write both."""
    (ROOT / "docs" / "json.md").write_text(json_reference())
    (ROOT / "docs" / "metrics.md").write_text(metrics_reference())


if __name__ == "__main__":
    main()
