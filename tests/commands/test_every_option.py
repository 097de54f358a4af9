"""Every option of every command has a test that fails if the option does nothing.

Most are rows of tables beside this file; the rest are named here.  `python -m tests.commands.neutralise` makes one
option after the other do nothing, and says whose test does not notice.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.commands import test_options_of_actions as actions
from tests.commands import test_options_of_reports as reports
from tests.commands.options import every_option
from tests.present import present

ROOT = Path(__file__).parents[2]
ACTIONS, REPORTS, SCREENS, SERVERS = (
    f"tests/commands/test_options_of_{name}.py" for name in ("actions", "reports", "screens", "servers")
)
YES = f"{ACTIONS}::test_yes_performs_and_dry_run_does_not_ask"
GIVEN = f"{ACTIONS}::test_what_is_given_is_what_is_asked_for"
LOOK = f"{SCREENS}::test_no_color_ascii_and_theme"
SAMPLED = f"{REPORTS}::test_samples_are_taken_at_the_interval"
FLEET = f"{SERVERS}::test_the_fleet"
DRILLED = "tests/actions/drill/test_drill.py::test_a_drill_ends_as_it_says_and_leaves_nothing"

ARM = "tests/e2e/test_arm.py"

PROOFS = {
    "--version": f"{REPORTS}::test_the_version_says_which_oomtop_it_is",
    "--interval": f"{SCREENS}::test_the_interval_of_the_monitor",
    "--read-only": f"{SCREENS}::test_read_only_is_said_and_no_action_starts",
    "--ssh": f"{SCREENS}::test_ssh_draws_less",
    "--theme": f"{LOOK}[]",
    "--ascii": f"{LOOK}[]",
    "--no-color": f"{LOOK}[]",
    "--plain": "tests/tui/plain/test_loop.py::test_a_process_is_found_by_its_number_and_killed_after_its_plan",
    "arm action": f"{ARM}::test_the_freeze_comes_before_the_kill",
    "arm pids": f"{ARM}::test_the_freeze_comes_before_the_kill",
    "arm --before": f"{ARM}::test_the_freeze_comes_before_the_kill",
    "arm --yes": f"{ARM}::test_the_freeze_comes_before_the_kill",
    "arm --cgroup": f"{ARM}::test_the_limit_is_raised_once",
    "arm --size": f"{ARM}::test_the_limit_is_raised_once",
    "arm --for": f"{ARM}::test_it_is_disarmed[1 s are over]",
    "arm --dry-run": f"{ARM}::test_without_a_yes_nothing_is_armed",
    "arm --json": f"{ARM}::test_the_outcome_is_json",
    "rules --json": "tests/commands/test_rules.py::test_as_json_it_lists_all_of_them",
    "arm --watch": f"{ARM}::test_the_limit_to_watch_can_be_named",
    "arm --override": f"{ARM}::test_pid_1_is_armed_for_with_the_override_only",
    "rules -n": "tests/commands/test_rules.py::test_it_shows_whom_each_pattern_fits",
    "top -n": "tests/test_cli.py::test_top_as_text",
    "top --sort": f"{REPORTS}::test_top_sorts_by_what_is_asked_for",
    "top --json": "tests/test_cli.py::test_top_as_json_adds_up",
    "top --interval": f"{SAMPLED}[top]",
    "top --watch": "tests/test_cli.py::test_top_watches_until_it_is_interrupted",
    "events --follow": f"{REPORTS}::test_follow_waits_for_what_comes",
    "kill --wait": f"{GIVEN}[kill {{pid}} --wait 3]",
    "kill --yes": f"{YES}[kill {{pid}}]",
    "protect --yes": f"{YES}[protect {{pid}}]",
    "freeze --yes": f"{YES}[freeze {{pid}}]",
    "thaw --yes": f"{YES}[thaw {{pid}}]",
    "reclaim --yes": f"{YES}[reclaim {{pid}}]",
    "drop-caches --dry-run": f"{YES}[drop-caches]",
    "drop-caches --yes": f"{YES}[drop-caches]",
    "compact --dry-run": f"{YES}[compact]",
    "compact --yes": f"{YES}[compact]",
    "limit group": f"{GIVEN}[limit {{group}} --max 64M]",
    "limit --dry-run": f"{YES}[limit {{group}} --max 64M]",
    "limit --yes": f"{YES}[limit {{group}} --max 64M]",
    "swap add path": f"{GIVEN}[swap add {{file}} 64M]",
    "swap add size": f"{GIVEN}[swap add {{file}} 64M]",
    "swap add --yes": f"{YES}[swap add {{file}} 64M]",
    "swap zram size": f"{GIVEN}[swap zram 64M]",
    "swap zram --yes": f"{YES}[swap zram 64M]",
    "swap off path": f"{GIVEN}[swap off {{file}}]",
    "swap off --override": f"{GIVEN}[swap off {{file}} --override]",
    "swap off --dry-run": f"{YES}[swap off {{file}}]",
    "swap off --yes": f"{YES}[swap off {{file}}]",
    "sysctl --yes": f"{YES}[sysctl swappiness 10]",
    "undo id": "tests/actions/test_whose_undo.py::test_what_somebody_else_did_is_undone_by_its_id_only",
    "undo --list": f"{ACTIONS}::test_a_dry_run_and_a_list_of_undo_undo_nothing",
    "undo --dry-run": f"{ACTIONS}::test_a_dry_run_and_a_list_of_undo_undo_nothing",
    "undo --yes": "tests/commands/test_action_commands.py::test_done_then_undone_by_a_later_command",
    "doctor --json": "tests/analysis/test_doctor.py::test_the_command_on_this_machine",
    "recommend --interval": f"{SAMPLED}[recommend]",
    "record --file": "tests/recording/test_recorder.py::test_the_command_records_until_it_is_told_to_end",
    "record --max-size": f"{REPORTS}::test_a_recording_has_the_bounds_it_is_given",
    "record --max-age": f"{REPORTS}::test_a_recording_has_the_bounds_it_is_given",
    "record --with-monitor": f"{SCREENS}::test_the_monitor_records_meanwhile",
    "replay file": f"{SCREENS}::test_a_replay_begins_at_its_time",
    "replay --at": f"{SCREENS}::test_a_replay_begins_at_its_time",
    "replay --theme": f"{LOOK}[replay]",
    "replay --ascii": f"{LOOK}[replay]",
    "replay --no-color": f"{LOOK}[replay]",
    "exporter --listen": f"{SERVERS}::test_it_listens_where_it_is_told",
    "exporter --interval": f"{SERVERS}::test_it_samples_at_its_interval",
    "exporter --top": f"{SERVERS}::test_it_names_as_many_processes_as_it_is_told",
    "exporter --tls-cert": f"{SERVERS}::test_it_speaks_tls_and_asks_for_a_certificate",
    "exporter --tls-key": f"{SERVERS}::test_it_speaks_tls_and_asks_for_a_certificate",
    "exporter --client-ca": f"{SERVERS}::test_it_speaks_tls_and_asks_for_a_certificate",
    "exporter --users": f"{SERVERS}::test_it_lets_in_whom_its_file_names",
    "fleet --prometheus": f"{FLEET}_asks_for_what_matches_with_its_token",
    "fleet --match": f"{FLEET}_asks_for_what_matches_with_its_token",
    "fleet --token-file": f"{FLEET}_asks_for_what_matches_with_its_token",
    "fleet --json": f"{FLEET}_asks_for_what_matches_with_its_token",
    "fleet --host-label": f"{SERVERS}::test_the_host_is_what_its_label_says",
    "fleet --ca-file": f"{FLEET}_trusts_whom_it_is_told_to",
    "fleet --timeout": f"{FLEET}_waits_as_long_as_it_is_told",
    "fleet --once": "tests/fleet/test_fleet.py::test_the_address_comes_from_the_option_then_the_environment",
    "fleet --interval": f"{FLEET}_is_asked_again_after_its_interval_and_drawn_in_ascii",
    "fleet --ascii": f"{FLEET}_is_asked_again_after_its_interval_and_drawn_in_ascii",
    "fleet --theme": f"{LOOK}[fleet]",
    "fleet --no-color": f"{LOOK}[fleet]",
    "check --samples": f"{SAMPLED}[check --available 1]",
    "check --interval": f"{SAMPLED}[check --available 1]",
    "drill kind": f"{DRILLED}[surge-killed]",
    "drill --json": f"{DRILLED}[fragment-time is up]",
    "drill --yes": f"{DRILLED}[fragment-time is up]",
    "kill --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "protect --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "freeze --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "thaw --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "reclaim --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "drop-caches --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "compact --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "limit --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "swap add --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "swap zram --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "swap off --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "sysctl --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "undo --json": f"{ACTIONS}::test_every_action_answers_in_json",
    "check --json": f"{REPORTS}::test_a_check_as_json_has_the_same_verdict",
    "top --group": f"{REPORTS}::test_top_adds_up_what_belongs_together",
    "headroom size": "tests/commands/test_headroom.py::test_the_machine_of_this_test",
    "headroom --cgroup": "tests/commands/test_headroom.py::test_what_a_limited_group_takes_is_what_is_said",
    "headroom --json": "tests/commands/test_headroom.py::test_what_a_limited_group_takes_is_what_is_said",
    "config check files": f"{REPORTS}::test_the_configuration_is_checked",
    "config check --json": f"{REPORTS}::test_the_configuration_is_checked",
    "help words": f"{REPORTS}::test_help_is_that_of_the_option",
    "completion shell": "tests/completion/test_completion.py::test_bash_offers_commands_options_and_values",
    **{row[0]: f"{ACTIONS}::test_an_option_changes_the_answer[{row[0]}]" for row in actions.ROWS},
    **{row[0]: f"{REPORTS}::test_an_option_adds_to_the_answer[{row[0]}]" for row in reports.ROWS},
    **{row[0]: f"{REPORTS}::test_an_option_takes_from_the_answer[{row[0]}]" for row in reports.LESS},
}
"""By the option: the test that proves it."""


def test_every_option_has_its_proof_and_every_proof_its_option() -> None:
    assert {option.words for option in every_option()} == set(PROOFS)


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("proof", sorted(set(PROOFS.values())))
def test_a_proof_is_there(proof: str) -> None:
    path, name = present(re.fullmatch(r"([^:]+)::(\w+)(?:\[.*\])?", proof)).groups()
    assert name in functions_of(path)
