"""Every report in every carrier: the same kill, whatever stands around its lines."""

import base64
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.log_files import read_stream
from oomtop.oomlog.records import parse_line
from oomtop.oomlog.scan import scan_lines
from tests.present import present

LOGS = sorted((Path(__file__).parents[1] / "fixtures" / "events").glob("*.log"))
STAMPED = "[ 1000.000000] x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
KILL = (
    "Out of memory: Killed process 7001 (stress) total-vm:320000kB, anon-rss:258400kB, file-rss:800kB, shmem-rss:0kB, "
    "UID:0 pgtables:600kB oom_score_adj:0"
)


def each(shape: str) -> Callable[..., str | bytes]:
    return lambda lines: "\n".join(shape.format(line=line, n=n) for n, line in enumerate(lines, 1))


def objects(make: Callable[..., object], **options: Any) -> Callable[..., str | bytes]:
    return lambda lines: "\n".join(json.dumps(make(line), **options) for line in lines)


CARRIERS: dict[str, Callable[[list[str]], str | bytes]] = {
    "plain": each("{line}"),
    "crlf": each("{line}\r"),
    "quoted": each("> > {line}"),
    "grep -n": each("{n}:{line}"),
    "grep -H": each("/var/log/kern.log:{n}:{line}"),
    "cat -n": each("{n:6}\t{line}"),
    "compose": each("kmsg-1  | {line}"),
    "ansible": each("host | {line}"),
    "kubectl": each("[pod/npd-x7/npd] {line}"),
    "stern": each("npd-x7 npd {line}"),
    "console": each("[2025-04-04 08:10:01] {line}"),
    "rsyslog": each("Nov 24 08:00:00 h kernel: {line}"),
    "without host": each("Nov 24 08:00:00 kernel: {line}"),
    "forwarded": each("Nov 24 08:00:00 relay.example Nov 24 08:00:00 h kernel: {line}"),
    "with year": each("Nov 24 2024 08:00:00 h kernel: {line}"),
    "logread": each("Mon Apr 12 18:29:48 2021 kern.warn kernel: {line}"),
    "5424": each('<4>1 2024-11-24T08:00:00Z h kernel - - [meta sequenceId="{n}"] {line}'),
    "5424 with an id": each('<4>1 2024-11-24T08:00:00Z h kernel - ID47 [meta sequenceId="{n}"] {line}'),
    "5424 without data": each("<4>1 2024-11-24T08:00:00.000001+01:00 h.example kernel - - - {line}"),
    "ansible list": each('        "Nov 24 08:00:00 h kernel: {line}",'),
    "diff": each("+{line}"),
    "bullets": each("- {line}"),
    "html": each("{line}<br>"),
    "docker": objects(lambda line: {"log": line + "\n", "stream": "stdout", "time": "2024-11-24T08:00:00Z"}),
    "any key": objects(lambda line: {"when": 1732435200, "zz": {"q": [{"payload": line}]}}),
    "filebeat": objects(lambda line: {"host": {"name": "h"}, "message": f"Nov 24 08:00:00 h kernel: {line}"}),
    "pretty": objects(lambda line: {"_TRANSPORT": "kernel", "MESSAGE": line}, indent=4),
    "json list": lambda lines: json.dumps({"stdout_lines": lines}, indent=4),
    "one string": lambda lines: json.dumps("\n".join(lines)),
    "sse": objects(lambda line: {"_TRANSPORT": "kernel", "MESSAGE": line}),
    "export": each("__CURSOR=s={n}\n_TRANSPORT=kernel\nMESSAGE={line}\n"),
    "tsv": each('2024-11-24T08:00:00Z\tkern.warn\t{{"ident": "kernel", "message": "{line}"}}'),
}  # fmt: skip


def read(data: str | bytes) -> list[OomEvent]:
    data = data.encode() if isinstance(data, str) else data
    return [event for event in read_stream(io.BytesIO(data), "log").events if event.killer == "kernel"]


def told(event: OomEvent) -> tuple[object, ...]:
    return (
        event.type,
        event.constraint,
        event.oom_memcg,
        event.victim and event.victim.pid,
        event.trigger,
        len(event.tasks),
    )


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_report_is_the_same_in_every_carrier(carrier: str, path: Path) -> None:
    texts = (record.text for line in path.read_text().splitlines() for record in parse_line(line))
    lines = [f"[ {1000 + n / 1e6:.6f}] {text}" for n, text in enumerate(texts) if '"' not in text]
    plain, wrapped = read("\n".join(lines)), read(CARRIERS[carrier](lines))
    assert plain
    assert [told(event) for event in wrapped] == [told(event) for event in plain]


def reports() -> Iterator[list[str]]:
    """Return the messages of every report in folders of real logs, where there are any."""
    for folder in filter(None, os.environ.get("OOMTOP_REPORTS", "").split(":")):
        for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
            text = path.read_bytes().decode("utf-8", "replace")
            if "invoked oom-killer" in text:
                yield [record.text for line in text.splitlines() for record in parse_line(line) if not record.facility]


@pytest.mark.skipif(not os.environ.get("OOMTOP_REPORTS"), reason="OOMTOP_REPORTS names no folders of logs")
@pytest.mark.parametrize("carrier", CARRIERS)
def test_no_report_of_real_logs_is_lost_in_a_carrier(carrier: str) -> None:
    for texts in reports():
        lines = [f"[ {1000 + n / 1e6:.6f}] {text}" for n, text in enumerate(texts) if '"' not in text]
        plain, wrapped = read("\n".join(lines)), read(CARRIERS[carrier](lines))
        assert [told(event)[3] for event in wrapped] == [told(event)[3] for event in plain]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_encodings(encoding: str) -> None:
    text = f"{STAMPED}\r\n[ 1000.1] {KILL}\r\n"
    assert [present(event.victim).pid for event in read(text.encode(encoding))] == [7001]


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120])
def test_a_kill_line_that_was_wrapped_is_put_together(width: int) -> None:
    line = f"[ 1000.100000] {KILL}"
    (event,) = read("\n".join(line[at : at + width] for at in range(0, len(line), width)))
    assert (present(event.victim).pid, present(event.victim).name, present(event.victim).anon_rss) == (
        7001,
        "stress",
        258400 << 10,
    )


@pytest.mark.parametrize("pause", [0.0, 6.0, 16.0, 51.0, 300.0])
def test_a_report_ends_by_its_grammar_at_any_pace(pause: float) -> None:
    lines = [
        STAMPED,
        f"[{1000 + pause:.6f}] {KILL}",
        f"[{1000 + 2 * pause:.6f}] oom_reaper: reaped process 7001 (stress), x",
    ]
    (event,) = read("\n".join(lines))
    assert (present(event.trigger).name, present(event.victim).pid) == ("x", 7001)


@pytest.mark.parametrize(
    "line",
    [
        f'# "{KILL}"', f"He said: `{KILL}` and left.", f"we saw in the kernel: {KILL}", f'  "{STAMPED[15:]}",',
        f'Sep 24 10:00:00 h app[3]: child said "{KILL}"', json.dumps({"level": "error", "msg": KILL, "logger": "audit"}),
        base64.b64encode(KILL.encode()).decode(), f'LINE = "{STAMPED}"', f"    parse(b'[ 5.000000] {KILL}')",
    ],
)  # fmt: skip
def test_prose_source_and_quotes_are_no_kill(line: str) -> None:
    assert read(line) == []


@pytest.mark.parametrize("lines", [1, 30_000])
def test_the_place_in_a_file_changes_nothing(lines: int) -> None:
    noise = "Nov 24 03:00:00 h sshd[5]: Accepted publickey for alice from 192.0.2.7 port 5 ssh2\n" * lines
    for text in (
        "Nov 24 08:00:00 h kernel: [ 1000.1] Killed process 7, UID 27, (mysqld) total-vm:1kB, anon-rss:5kB, file-rss:1kB",
        "Nov 24 08:00:00 h kernel: [ 1000.1] sysrq: Manual OOM execution",
        "_TRANSPORT=kernel\nMESSAGE=" + KILL,
        json.dumps({"_TRANSPORT": "kernel", "x": 1, "MESSAGE": KILL}, indent=2),
    ):
        assert len(read(noise + text + "\n" + noise)) == 1


@pytest.mark.parametrize(
    ("line", "time"),
    [
        (f'[0] kmsg.0: [[1740823200.123456789, {{}}], {{"priority"=>3, "sec"=>123, "msg"=>"{KILL}"}}]', None),
        (json.dumps({"data": {"result": [{"values": [["1740823200000000000", f"[ 5.0] {KILL}"]]}]}}), "2025-03-01T10:00:00.000Z"),
        (json.dumps({"timereported": "2025-03-01T10:00:00Z", "syslogtag": "kernel:", "msg": f" [ 5.0] {KILL}"}), "2025-03-01T10:00:00Z"),
    ],
)  # fmt: skip
def test_times_and_records_of_shippers(line: str, time: str | None) -> None:
    assert [(told(event)[3], event.time_text) for event in read(line)] == [(7001, time)]


@pytest.mark.parametrize(
    ("word", "host", "time"), [("LEDE", "LEDE", ""), ("CEST h", "h", " CEST"), ("UTC h", "h", " UTC")]
)
def test_a_host_in_capitals_is_no_zone(word: str, host: str, time: str) -> None:
    (event,) = read(f"Nov 24 08:00:00 {word} kernel: [ 5.000000] {KILL}")
    assert (event.host, event.time_text) == (host, f"Nov 24 08:00:00{time}")


def test_the_date_at_the_head_of_an_entry_is_that_of_its_lines() -> None:
    kill = "Out of memory: Killed process 71 (db) total-vm:32kB, anon-rss:25kB, file-rss:8kB, shmem-rss:0kB"
    verbose = (
        f"Sun 2024-11-24 08:00:00.000000 UTC [s={'0' * 32};i=1]\n    _TRANSPORT=kernel\n    _HOSTNAME=h\n"
        f"    MESSAGE={kill}\n"
    )
    azure = f'{{"records":[{{"TimeGenerated":"2026-11-20T10:00:00Z","Computer":"h","SyslogMessage":"{kill}"}}]}}\n'
    nohang = (
        "2023-08-10 16:53:26,460: Victim status (found in 1ms):\n  PID: 71, name: db\n  Sending SIGTERM to the victim\n"
    )
    for text, date in (
        (verbose, "Sun 2024-11-24 08:00:00.000000 UTC"),
        (azure, "2026-11-20T10:00:00Z"),
        (nohang, "2023-08-10 16:53:26,460"),
    ):
        (event,) = scan_lines(text.splitlines(), "test")
        assert event.time_text == date


@pytest.mark.parametrize("host", ["h", "box", "box1", "Box", "a.b", "web1.prod"])
@pytest.mark.parametrize("comm", ["sh", "db", "kworker/0:1"])
def test_a_short_host_is_no_part_of_the_triggers_name(host: str, comm: str) -> None:
    line = f"{comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
    (event,) = read(f"Nov 24 08:00:00 {host} kernel: {line}\nNov 24 08:00:00 {host} kernel: {KILL}\n")
    assert present(event.trigger).name == comm
