"""What every scenario has to show."""

from __future__ import annotations

from typing import Any


def assert_alive(said: dict[str, Any]) -> None:
    """The monitor lived and answered every key, and no page of it had to be read again where it could lock them."""
    assert said["monitor"]["alive"], said["screen"]
    assert said["monitor"]["missed"] == 0, said["monitor"]
    assert said["monitor"]["answers"] >= 2, said["monitor"]
    if said["warm"]["VmLck"]:
        assert said["after"]["majflt"] == said["warm"]["majflt"], (said["warm"], said["after"], said.get("read"))


def assert_told(said: dict[str, Any], name: str, kind: str, group: str = "") -> None:
    """The kill came as predicted, and screen and log tell the right victim, cause and killer."""
    assert said["killed"][:1] == [name], said
    pid = said["pids"][0]
    assert_alive(said)
    assert said["predicted"]["pid"] == pid or said["predicted"]["tie"], said["predicted"]
    rows = [row for row in said["screen"].splitlines() if f"kernel killed {name} {pid}" in row]
    cause = f"({kind})" if kind != "memcg" else f"limit of {group}"
    assert any(cause in row for row in rows), said["screen"]
    event = next(event for event in said["events"] if event["victim"] and event["victim"]["pid"] == pid)
    assert (event["killer"], event["type"]) == ("kernel", kind), event
    assert (event["oom_memcg"] or "") == group, event


def assert_whole(recording: dict[str, Any], *told: dict[str, Any]) -> None:
    """The recording opens, holds every kill that was told, and misses at most the last interval."""
    assert recording["alive"]
    assert recording["check"] == "ok"
    assert recording["readable"] == recording["ticks"] > 5
    assert recording["problems"] == []
    awaited = [event["victim"]["pid"] for said in told for event in said["events"] if event["victim"]]
    assert set(awaited) <= set(recording["victims"]), (awaited, recording)
    # Every second, every 2.5 s under pressure, and as long as a tick takes on an emulated processor.
    assert recording["ended"] - recording["last"] <= max(5.0, recording["longest"]) + 5.0, recording
