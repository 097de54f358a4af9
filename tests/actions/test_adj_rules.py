from dataclasses import replace
from pathlib import Path
from typing import Any

from oomtop.actions.adj_rules import RuleKeeper, fitting, rules_for
from oomtop.actions.base.guard import Guard
from oomtop.actions.journal.audit_log import Audit, read_entries
from oomtop.config.load import AdjustRule, apply_table, load_config
from oomtop.config.load import Config as Configuration
from oomtop.host.meminfo import Meminfo
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.snapshot import Machine, Snapshot
from tests.actions.children import end, facts, start
from tests.present import present


def snapshot(*processes: Process) -> Snapshot:
    machine = Machine("host", "6.1", None, None, 4096, 100, 2)
    return Snapshot(1.0, 1.0, machine, Meminfo(1 << 30, 1 << 29), processes=processes, users=((0, "root"), (5, "db")))


def process(base: Process, pid: int, comm: str, **more: Any) -> Process:
    return replace(base, id=ProcessId(pid, 5), comm=comm, **{"oom_score_adj": 0, "euid": 0, **more})


def test_the_first_rule_that_fits_decides() -> None:
    child = start()
    try:
        base = facts(child.pid)
    finally:
        end(child)
    rules = (
        AdjustRule(-900, command="postgres*"),
        AdjustRule(500, unit="batch-*.service", user="db"),
        AdjustRule(100, user="db"),
    )
    seen = snapshot(
        process(base, 10, "postgres", euid=5),
        process(base, 11, "python3", command="/usr/bin/postgres-backup --all"),
        process(base, 12, "job", euid=5, cgroup="/system.slice/batch-1.service"),
        process(base, 13, "job", cgroup="/system.slice/batch-1.service"),
        process(base, 17, "job", euid=5, cgroup="/user.slice/user-5.slice/user@5.service/batch-1.service", oom_score=1),
        process(base, 14, "psql", euid=5, oom_score_adj=100),
        process(base, 1, "postgres"),
        process(base, 15, "postgres", flags=0x00200000),
        process(base, 16, "postgres", state="Z"),
    )
    found = fitting(rules, seen, root=Root("/nonexistent"))
    assert [(item.pid, adj) for item, adj in found] == [(10, -900), (11, -900), (12, 500), (17, 100), (14, 100)]
    assert [identity.pid for identity, _ in present(rules_for(found)).values] == [10, 11, 12, 17]
    assert fitting(rules, seen, frozenset(item.id for item, _ in found), Root("/nonexistent")) == ()


def test_a_new_process_gets_its_value_once_and_what_is_changed_by_hand_stays(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "audit.jsonl"))
    keeper = RuleKeeper((AdjustRule(300, command="python*"),), Guard(), audit)
    child = start()
    try:
        said: list[str] = []
        seen = snapshot(replace(facts(child.pid), oom_score_adj=0))
        keeper.apply(present(keeper.take(seen)), seen, said.append)
        assert open(f"/proc/{child.pid}/oom_score_adj").read() == "300\n"
        assert "0 -> 300" in said[0]
        assert [entry["phase"] for entry in read_entries(audit.path)] == ["start", "end"]
        with open(f"/proc/{child.pid}/oom_score_adj", "w") as file:
            file.write("400")
        assert keeper.take(snapshot(replace(facts(child.pid), oom_score_adj=400))) is None
        # Another process with the same number is a new one.
        again = replace(facts(child.pid), id=ProcessId(child.pid, 1), oom_score_adj=400)
        assert keeper.take(snapshot(again)) is not None
    finally:
        end(child)


def test_in_read_only_mode_no_rule_is_applied() -> None:
    rules = (AdjustRule(300, user="root"),)
    for guard in (Guard(read_only=True), Guard(replay=True)):
        child = start()
        try:
            assert RuleKeeper(rules, guard, Audit("/nonexistent/x")).take(snapshot(facts(child.pid))) is None
        finally:
            end(child)


def test_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[adjust]]\ncommand = "postgres*"\nadj = -900\n[[adjust]]\nunit = "x.service"\nadj = 500\n')
    config, mistakes = load_config((str(file),))
    assert mistakes == ()
    assert config.adjust == (AdjustRule(-900, command="postgres*"), AdjustRule(500, unit="x.service"))
    bad = ({"adj": 1}, {"command": "x"}, {"command": "x", "adj": 2000}, {"command": "x", "adj": True}, {"nice": 1}, 5)
    for item in bad:
        config, mistakes = apply_table(Configuration(), {"adjust": [item]}, "f")
        assert (config.adjust, len(mistakes)) == ((), 1), item
