"""The recipes of all package formats, Kubernetes, the workflows: one version, valid, and what they are made from."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

import oomtop
from oomtop.config.load import Config, apply_table
from oomtop.config.toml_text import loads
from tests.present import present

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
KUBERNETES = PACKAGING / "kubernetes"
RULES = PACKAGING / "prometheus/oomtop.rules.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
OVERLAYS = ("base", "overlays/unprivileged", "overlays/prometheus-operator")


def run(*words: str | Path) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("aur/PKGBUILD", r"^pkgver=(.+)$"),
        ("homebrew/oomtop-monitor.rb", r"/v([\d.]+)/oomtop_monitor-"),
        ("nix/package.nix", r'version = "(.+)";'),
        ("helm/oomtop/Chart.yaml", r"^appVersion: (.+)$"),
        ("kubernetes/base/kustomization.yaml", r"newTag: (.+)$"),
    ],
)
def test_a_recipe_is_for_this_version(path: str, pattern: str) -> None:
    assert present(re.search(pattern, (PACKAGING / path).read_text(), re.MULTILINE))[1] == oomtop.__version__


def test_the_examples_of_the_configuration_have_no_mistake() -> None:
    text = (PACKAGING / "debian/config.toml").read_text()
    table = loads(re.sub(r'^# (?=\w+ = |\[|")', "", text, flags=re.MULTILINE))
    assert {"interval", "protected", "adjust", "warn", "keys"} <= table.keys()
    assert apply_table(Config(), table, "config.toml")[1] == ()


def test_the_recipe_of_homebrew_is_ruby() -> None:
    need("ruby")
    run("ruby", "-c", PACKAGING / "homebrew/oomtop-monitor.rb")


NIX = """(import {path} {{
  lib = {{ cleanSource = toString; licenses.mit = "MIT"; platforms.linux = "linux"; }};
  buildPythonApplication = package: package; hatchling = "hatchling"; installShellFiles = "installShellFiles";
  {dependencies}
}})"""


def test_the_recipe_of_nix_names_every_dependency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("nix-instantiate")
    # Nowhere is anything built: without a store of root's.
    monkeypatch.setenv("NIX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "store"))
    project: Any = loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split("[<>=;]", text)[0] for text in project["dependencies"] if "python_version <" not in text}
    given = NIX.format(
        path=PACKAGING / "nix/package.nix", dependencies=" ".join(f'{name} = "{name}";' for name in sorted(needed))
    )
    recipe = json.loads(run("nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", "--expr", given))
    assert set(recipe["dependencies"]) == needed
    assert (recipe["version"], recipe["pname"]) == (oomtop.__version__, project["name"])


@pytest.mark.packages
def test_the_recipe_of_arch_builds_from_the_source_archive(tmp_path: Path) -> None:
    """What makepkg does: `build` and `package` of the recipe, each in the folder of the unpacked sources."""
    for module in ("build", "installer"):
        pytest.importorskip(module)
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path)
    script = """set -eu; . "$1"; export pkgdir="$PWD/pkg" PATH="$2:$PATH"; (build); (package)"""
    done = subprocess.run(
        ["bash", "-c", script, "makepkg", str(PACKAGING / "aur/PKGBUILD"), str(Path(sys.executable).parent)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    made = tmp_path / "pkg"
    for name in (
        "etc/oomtop/config.toml",
        "usr/share/licenses/oomtop-monitor/LICENSE",
        "usr/lib/systemd/system/oomtop-record.service",
        "usr/share/zsh/site-functions/_oomtop",
    ):
        assert (made / name).stat().st_size > 0, name
    assert ".TH" in (made / "usr/share/man/man1/oomtop.1").read_text()
    assert list(made.glob("usr/**/oomtop/cli.py")) or list(made.rglob("site-packages/oomtop/cli.py"))


def test_every_supported_python_is_tested_and_named() -> None:
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    tested = ci["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert tested == named
    assert set(tested) == set(re.findall(r"3\.\d+", (ROOT / "tests/interpreters.sh").read_text()))


def test_a_release_has_everything_and_no_token_of_pypi() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    for part in (
        "dist zipapp deb rpm",
        "sbom",
        "SHA256SUMS",
        "id-token: write",
        "gh-action-pypi-publish",
        "Containerfile",
    ):
        assert part in text
    assert "password: ${{ secrets.PYPI" not in text


def test_every_target_that_a_workflow_makes_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for path in [*WORKFLOWS, ROOT / ".ci/run"]:
        for words in re.findall(r"(?:run: |^)make ([a-z ]+)", path.read_text(), re.MULTILINE):
            for target in words.split():
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_program_needs_no_development_tool() -> None:
    makefile = (ROOT / "Makefile").read_text()
    installs = makefile[makefile.index("$(PROGRAM): pyproject") : makefile.index("$(STAMP): pyproject")]
    assert "--group" not in installs
    assert re.search(r"^run: \$\(PROGRAM\)$", makefile, re.MULTILINE)


def test_the_rules_of_kubernetes_are_those_of_prometheus() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rule = yaml.safe_load((KUBERNETES / "overlays/prometheus-operator/prometheusrule.yaml").read_text())
    assert rule["spec"]["groups"] == groups
    assert yaml.safe_load((PACKAGING / "helm/oomtop/files/oomtop.rules.yml").read_text())["groups"] == groups


def resources(overlay: str) -> list[dict[str, Any]]:
    need("kubectl")
    return list(yaml.safe_load_all(run("kubectl", "kustomize", KUBERNETES / overlay)))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_whole(overlay: str) -> None:
    found = {resource["kind"]: resource for resource in resources(overlay)}
    assert {"Namespace", "DaemonSet", "Service", "NetworkPolicy"} <= found.keys()
    pod = found["DaemonSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["privileged"] == (overlay != "overlays/unprivileged")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in ("/-/ready", "/-/healthy")
    labels = found["DaemonSet"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        found["Service"]["spec"]["selector"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert all(
        resource["metadata"].get("namespace") == "oomtop" for kind, resource in found.items() if kind != "Namespace"
    )


@pytest.mark.packages
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_takes_every_resource(overlay: str) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    own = [item for item in resources(overlay) if not item["apiVersion"].startswith("monitoring.coreos.com")]
    for resource in own:
        validate.validate(resource, "1.29", strict=True)


@pytest.mark.packages
@pytest.mark.parametrize(
    "values", [{}, {"privileged": False, "serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}]
)
def test_the_chart_makes_the_same_as_kustomize(values: dict[str, Any]) -> None:
    """The templates are rendered by Helm itself, as a library."""
    helm, validate = pytest.importorskip("helm_python"), pytest.importorskip("kubernetes_validate")
    assert helm.lint(PACKAGING / "helm/oomtop")["errors"] == []
    with helm.Chart.load(PACKAGING / "helm/oomtop") as chart:
        texts = chart.render(values, name="oomtop", namespace="oomtop").values()
    found = {one["kind"]: one for text in texts for one in yaml.safe_load_all(text) if one}
    for resource in found.values():
        if not resource["apiVersion"].startswith("monitoring.coreos.com"):
            validate.validate(resource, "1.29", strict=True)
    base = {resource["kind"]: resource for resource in resources("overlays/unprivileged" if values else "base")}
    ours, theirs = (kinds["DaemonSet"]["spec"]["template"]["spec"]["containers"][0] for kinds in (found, base))
    for key in ("ports", "volumeMounts", "livenessProbe", "readinessProbe", "securityContext", "resources"):
        assert ours[key] == theirs[key], key
    if values:
        assert found["PrometheusRule"]["spec"]["groups"] == yaml.safe_load(RULES.read_text())["groups"]


@pytest.mark.packages
@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.github-workflows", ".github/workflows/*.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ],
)
def test_what_github_reads_follows_its_schema(schema: str, pattern: str) -> None:
    pytest.importorskip("check_jsonschema")
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *ROOT.glob(pattern))


@pytest.mark.packages
def test_the_workflows_have_no_finding() -> None:
    """Those of actionlint and of security; that actions are named by version, dependabot keeps up with."""
    lint = Path(sys.executable).parent / "jactionlint"
    need(str(lint))
    run(lint, "--strict-exit", "--no-online", "--shellcheck=", "--ignore", "unpinned-uses", *WORKFLOWS)


def test_an_issue_form_has_what_github_asks_of_it() -> None:
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.name != "config.yml":
            assert form["name"]
            assert form["description"]
            assert all(part["type"] in ("input", "textarea") and part["attributes"]["label"] for part in form["body"])


@pytest.mark.packages
def test_the_manual_page_has_no_error() -> None:
    need("mandoc")
    page = run(sys.executable, "-m", "oomtop", "man")
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning"], input=page, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


@pytest.mark.packages
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    run(sys.executable, PACKAGING / "site/prepare.py", tmp_path / "pages")
    config = tmp_path / "pages/mkdocs.yml"
    run(sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", config, "-d", tmp_path / "site")
    pages = json.loads((tmp_path / "site/search/search_index.json").read_text())["docs"]
    assert any(page["location"].startswith("installing/") for page in pages)


def test_the_readme_on_pypi_links_to_the_repository() -> None:
    pytest.importorskip("hatchling")
    spec = present(importlib.util.spec_from_file_location("pypi_readme", PACKAGING / "pypi_readme.py"))
    module = importlib.util.module_from_spec(spec)
    present(spec.loader).exec_module(module)
    text = module.absolute((ROOT / "README.md").read_text())
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 10
    assert all(target.startswith("https://") for target in targets)
    assert all("raw.githubusercontent.com" in target for target in targets if target.endswith(".png"))
