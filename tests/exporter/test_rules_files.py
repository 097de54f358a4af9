"""The Prometheus files that ship: promtool accepts them, and every metric they name is one that is served."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "packaging" / "prometheus"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian package prometheus)")
@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "oomtop.rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "oomtop.rules.test.yml"),
    ],
)
def test_promtool_accepts(words):
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_the_rules_is_served():
    served = (FOLDER.parents[1] / "oomtop" / "exporter" / "families.py").read_text()
    pattern = re.compile(r"(?<![\w:-])oomtop_(\w+)")
    expressions = [line for line in (FOLDER / "oomtop.rules.yml").read_text().splitlines() if "expr:" in line]
    named = {name for line in expressions for name in pattern.findall(line)}
    assert len(named) > 5
    for name in named:
        stem = re.sub(r"^(memory|swap|exhaustion|cgroup)_|_total$", "", name)
        assert stem in served or re.sub(r"_bytes$", "", stem) in served, name
