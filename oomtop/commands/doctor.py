"""`oomtop doctor`: report what works here and why, and audit the machine for OOM risks.

Exit code 0: no risk worth acting on; 6: at least one.
"""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import output_width

HELP = "what works here and what does not, with an audit of memory risks"
FOUND = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--json", action="store_true", help="print JSON (schema 1)")


def run(options: argparse.Namespace) -> int:
    """Print the report."""
    from oomtop.analysis.doctor import judge
    from oomtop.analysis.findings.risks import audit, by_severity
    from oomtop.analysis.model.assessment import Severity
    from oomtop.analysis.settings.verdicts import setting_risks
    from oomtop.commands.once import assess_once
    from oomtop.host.abilities import read_abilities
    from oomtop.host.root import Root
    from oomtop.render.doctor import doctor_to_json, render_doctor

    now, found = assess_once(), read_abilities(Root())
    abilities, risks = judge(found), by_severity((*audit(now, found), *setting_risks(now)))
    if options.json:
        from oomtop.render.json_text import json_text

        print(json_text(doctor_to_json(now, abilities, risks)))
    else:
        print(render_doctor(now, abilities, risks, min(100, output_width())))
    return FOUND if any(risk.severity is not Severity.INFO for risk in risks) else 0
