"""Reports of crashes: few, for their owner only, and without secrets."""

import os
from pathlib import Path

import pytest

from oomtop.crash import crash_text, reason_of, save_crash, state_folder, without_secrets
from tests.present import present


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "oomtop"


def raised(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_the_newest_ten_are_kept_and_files_of_others_stay(state: Path) -> None:
    state.mkdir()
    (state / "recovery.json").write_text("{}")
    for number in range(25):
        path = present(save_crash(raised(f"number {number}"), 1_790_000_000.0 + number))
        os.utime(path, (number, number))
    reports = sorted(state.glob("crash-*"))
    assert len(reports) == 10
    assert "number 24" in reports[-1].read_text()
    assert (state / "recovery.json").exists()


def test_a_report_is_for_its_owner_only(state: Path) -> None:
    path = present(save_crash(raised("x"), 0.0))
    assert path.parent == state_folder() == state
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach https://root:hunter2@prom.example/api/v1/query?x=hunter2",
        "https://hooks.slack.com/services/T0/B0/hunter2 answered 500",
        "Authorization: Bearer hunter2",
        "authorization: Basic hunter2==",
        "token=hunter2",
        "password: 'hunter2'",
        '{"api_key": "hunter2"}',
        "Cookie: hunter2",
        "secret hunter2",
    ],
)
def test_what_looks_like_a_credential_is_left_out(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_TOKEN", "hunter2")
    error = raised(text)
    assert "hunter2" not in without_secrets(text)
    assert "hunter2" not in crash_text(error, ["fleet", "--token", "hunter2", "--prometheus=https://hunter2@x"])
    assert "hunter2" not in reason_of(error)


def test_a_report_has_the_command_and_its_options() -> None:
    text = crash_text(raised("x"), ["--ascii", "fleet", "--prometheus=https://x", "/home/somebody"])
    assert "arguments: --ascii fleet --prometheus=... ..." in text
    assert "in raised" in text
