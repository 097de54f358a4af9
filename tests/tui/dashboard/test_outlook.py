"""The lines of the outlook at 80 columns: time, victim and key are there however long a name is."""

import pytest

from oomtop.analysis.model.assessment import CgroupFigures, Exhaustion
from oomtop.analysis.model.danger import Confidence
from oomtop.analysis.sentences import describe_exhaustion
from oomtop.host.cgroup import Cgroup
from oomtop.tui.dashboard.outlook import draw_outlook
from oomtop.tui.style.palette import Look
from oomtop.units import GIB, MIB
from tests.tui.factories import make_assessment, make_process, make_row, make_victims


def filling(name):
    path = f"/system.slice/{name}"
    row = make_row(make_process(4711, "image-resizer", rss=600 * MIB))
    outlook = Exhaustion(path, GIB, 8.0 * MIB, 250.0, 185.0, 360.0, Confidence.HIGH)
    group = CgroupFigures(Cgroup(path, GIB, max=2 * GIB), name, 2 * GIB, GIB, outlook, make_victims([row]))
    return make_assessment((row,), exhaustion=(outlook,), cgroups=(group,))


@pytest.mark.parametrize("name", ["web", "docker-" + 64 * "a" + ".scope"])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_time_and_victim_are_whole_at_eighty_columns(name, ascii_only):
    left, following, _ = (line.plain for line in draw_outlook(filling(name), 80, 3, Look(ascii_only)))
    assert left.endswith(": full in 4m10s (3m05s to 6m00s, high confidence) at +8.0M/s")
    assert following.startswith("Next image-resizer (pid 4711), score 3.7%, frees 600M when ")
    assert following.endswith(" is full")
    assert max(len(left), len(following)) <= 80


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((8.4, 8.1, 8.9), "full in 8s (low confidence)"),
        ((24.0, 23.0, 24.0), "full in 24s (23s to 24s, low confidence)"),
        ((1331.0, 978.0, 2754.0), "full in 22m (16m to 45m, low confidence)"),
        ((3700.0, 3600.0, 4000.0), "full in 1h01m (1h00m to 1h06m, low confidence)"),
    ],
)
def test_an_estimate_is_said_as_exactly_as_it_is_known(times, said):
    assert describe_exhaustion(Exhaustion("RAM", GIB, 2.0 * MIB, *times)) == f"RAM: {said} at +2.0M/s"
