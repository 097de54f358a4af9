"""The recipes of docs/monitoring.md: each scrape configuration is one, and Datadog's own check takes what is served."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop.exporter.server import start_server
from tests.exporter.test_exporter import assessed, make_server, watched
from tests.present import present

yaml = pytest.importorskip("yaml")
TEXT = (Path(__file__).parents[2] / "docs/monitoring.md").read_text()


def blocks(heading: str, language: str) -> list[str]:
    section = present(re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))[1]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def scrape_configs(data: str | list[str | dict[str, str]] | dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield every list of scrape configurations, however deep it is."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "scrape_configs":
                yield value
            else:
                yield from scrape_configs(value)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian package prometheus)")
@pytest.mark.parametrize("heading", ["CloudWatch agent", "Google Cloud", "OpenTelemetry collector"])
def test_a_scrape_configuration_is_one_of_prometheus(heading: str, tmp_path: Path) -> None:
    found = [config for block in blocks(heading, "yaml") for config in scrape_configs(yaml.safe_load(block))]
    assert found
    for number, config in enumerate(found):
        path = tmp_path / f"{number}.yml"
        path.write_text(json.dumps({"scrape_configs": config}))
        done = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


# What the agents' own schemas allow at each place of a recipe (August 2026): translator/config/schema.json of the
# CloudWatch agent, config.schema.yaml of each component of the collector, the resource definition of PodMonitoring.  The
# Ops Agent has none: the places are those of its own tests.  `*` is a name that the user chooses; promtool checks the rest.
PLACES = {
    "CloudWatch agent": {
        "logs", "logs/metrics_collected", "logs/metrics_collected/prometheus",
        "logs/metrics_collected/prometheus/prometheus_config_path", "logs/metrics_collected/prometheus/emf_processor",
        "logs/metrics_collected/prometheus/emf_processor/metric_declaration", *(
            f"logs/metrics_collected/prometheus/emf_processor/metric_declaration/{name}"
            for name in ("source_labels", "label_matcher", "dimensions", "metric_selectors")
        ),
        "global", "global/scrape_interval", "scrape_configs",
    },
    "Google Cloud": {
        "metrics", "metrics/receivers", "metrics/receivers/*", "metrics/receivers/*/type", "metrics/receivers/*/config",
        "metrics/receivers/*/config/scrape_configs", "metrics/service", "metrics/service/pipelines",
        "metrics/service/pipelines/*", "metrics/service/pipelines/*/receivers",
        "apiVersion", "kind", "metadata", "metadata/name", "spec", "spec/selector", "spec/selector/matchLabels",
        "spec/selector/matchLabels/app", "spec/endpoints", "spec/endpoints/port", "spec/endpoints/interval",
    },
    "OpenTelemetry collector": {
        "receivers", "receivers/prometheus", "receivers/prometheus/config", "receivers/prometheus/config/scrape_configs",
        "processors", "processors/resourcedetection", "processors/resourcedetection/detectors",
        "exporters", "exporters/otlp_grpc", "exporters/otlp_grpc/endpoint",
        "service", "service/pipelines", "service/pipelines/metrics", "service/pipelines/metrics/receivers",
        "service/pipelines/metrics/processors", "service/pipelines/metrics/exporters",
    },
}  # fmt: skip


def places(data: object, path: str = "") -> Iterator[str]:
    """Yield the path of every key but those of a scrape configuration; what the user names is `*`."""
    if isinstance(data, dict):
        for key, value in data.items():
            below = f"{path}/{'*' if key == 'oomtop' else key}".strip("/")
            yield below
            if key != "scrape_configs":
                yield from places(value, below)
    elif isinstance(data, list):
        for value in data:
            yield from places(value, path)


@pytest.mark.parametrize("heading", PLACES)
def test_a_recipe_has_keys_that_its_agent_knows(heading: str) -> None:
    found = {
        place
        for language in ("yaml", "json")
        for block in blocks(heading, language)
        for place in places(yaml.safe_load(block))
    }
    assert found == PLACES[heading]


def test_every_pipeline_names_what_is_defined() -> None:
    (config,) = map(yaml.safe_load, blocks("OpenTelemetry collector", "yaml"))
    for pipeline in config["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= config[kind].keys()
    (ops, monitoring) = map(yaml.safe_load, blocks("Google Cloud", "yaml"))
    for pipeline in ops["metrics"]["service"]["pipelines"].values():
        assert set(pipeline["receivers"]) <= ops["metrics"]["receivers"].keys()
    assert monitoring["spec"]["selector"]["matchLabels"] == {"app": "oomtop"}
    (agent,) = map(json.loads, blocks("CloudWatch agent", "json"))
    (declaration,) = agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]
    assert all(re.compile(pattern) for pattern in declaration["metric_selectors"])
    assert len(declaration["source_labels"]) == len(declaration["label_matcher"].split(";"))


@pytest.mark.packages
@pytest.mark.filterwarnings("ignore")
def test_datadog_takes_every_metric_by_its_name() -> None:
    base = pytest.importorskip("datadog_checks.base")
    aggregator = pytest.importorskip("datadog_checks.base.stubs").aggregator
    (text,) = blocks("Datadog agent", "yaml")
    (instance,) = yaml.safe_load(text)["instances"]
    server = make_server(assessed())
    stop = start_server(server, watched, 0.02)
    try:
        instance["openmetrics_endpoint"] = f"http://127.0.0.1:{server.port}/metrics"
        check = base.OpenMetricsBaseCheckV2("openmetrics", {}, [instance])
        assert json.loads(check.run() or "[]") == []
    finally:
        stop()
    names = aggregator.metric_names
    assert "oomtop.memory_available_bytes" in names
    assert not [name for name in names if "oomtop.oomtop" in name]
    assert any(tag.startswith("oomtop_version:") for tag in aggregator.metrics("oomtop.build_info")[0].tags)
