"""`python packaging/kubernetes/make.py`: the alert rules for the overlay and the Helm chart."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
RULES = HERE.parent / "prometheus" / "oomtop.rules.yml"
OVERLAY = HERE / "overlays/prometheus-operator/prometheusrule.yaml"
CHART = HERE.parent / "helm/oomtop/files/oomtop.rules.yml"
_HEAD = """# Made by packaging/kubernetes/make.py from packaging/prometheus/oomtop.rules.yml
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: oomtop
  labels:
    app: oomtop
spec:
"""


def rules() -> str:
    """Return the groups of the rules file, without its comments on top."""
    text = RULES.read_text(encoding="utf-8")
    return text[text.index("groups:\n") :]


def prometheus_rule() -> str:
    """Return the resource of the Prometheus operator."""
    return _HEAD + "".join(f"  {line}\n" if line else "\n" for line in rules().splitlines())


def main() -> None:
    """Write both."""
    CHART.parent.mkdir(parents=True, exist_ok=True)
    OVERLAY.write_text(prometheus_rule(), encoding="utf-8")
    CHART.write_text(rules(), encoding="utf-8")


if __name__ == "__main__":
    main()
