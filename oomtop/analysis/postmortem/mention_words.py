"""A mention in words: who says what of whom, and where the full report is."""

from __future__ import annotations

import time
from collections.abc import Mapping

from oomtop.oomlog.mentions.mention import EVICTION, FAILURE, LIMIT, Mention

_BEFORE, _AFTER = 120, 60
# Platforms that keep the kernel's log of their machines to themselves: where their own account of it is.
_HOSTED: Mapping[str, str] = {
    "lambda": "raise the memory size of the function; its REPORT lines in CloudWatch have 'Max Memory Used'",
    "ecs": "raise 'memory' of the container or task; on EC2 the report is in the kernel log of the instance",
    "cloud-run": "raise --memory of the service; the instance's use is in Cloud Monitoring",
    "cloud-functions": "raise --memory of the function",
    "app-engine": "choose an instance class with more memory",
    "heroku": "choose a larger dyno; `heroku logs` and the Metrics tab have its use",
    "fly": "raise the memory of the machine; `fly logs` has the kernel's lines",
    "paas": "choose a larger instance; the platform keeps the kernel log of its machines",
    "azure": "raise the memory of the container",
    "bitbucket-pipelines": "raise `size` of the step or `memory` of the service",
    "vercel": "the build container has a fixed size; use less memory, or a larger build machine",
    "cloud-build": "choose a larger machine type",
    "gitlab-runner": "the report is in the kernel log of the runner's machine or node",
    "github-actions": "hosted runners have a fixed size; use less memory, or a larger runner",
    "circleci": "choose a larger resource class",
    "buildkite": "the report is in the kernel log of the agent's machine",
    "azure-pipelines": "hosted agents have a fixed size; use less memory, or an agent of your own",
}


def describe_mention(mention: Mention) -> str:
    """Return a mention as one sentence: `systemd says that a process of mariadb.service was killed (lines 5, 7).`"""
    what = f"{mention.by} says that {_what(mention)}{_times(mention)}"
    lines = ", ".join(map(str, mention.lines[:10]))
    where = f" (line{'s' * (len(mention.lines) > 1)} {lines})" if lines else ""
    return f"{what}{where}."


def _what(mention: Mention) -> str:
    who = _who(mention)
    if mention.kind == FAILURE:
        return (
            f"an allocation of {who} failed; nobody was killed for it"
            if who
            else "an allocation failed; nobody was killed for it"
        )
    if mention.kind == EVICTION:
        return f"{who or 'a pod'} was evicted because its node was low on memory"
    if mention.kind == LIMIT:
        return f"{who or 'a process'} is over its memory limit; it was not killed for it yet"
    if mention.pid is not None and mention.subject:
        return f"{mention.name or 'process'} ({mention.pid}) was killed for memory ({mention.subject})"
    if mention.pid is None and mention.subject:
        return f"a process of {_noun(mention)}{mention.subject} was killed for memory"
    return f"{who or 'something'} was killed for memory"


def _noun(mention: Mention) -> str:
    if mention.by == "kubelet" and "ystem OOM" in mention.text:
        return "node "
    if mention.subject is not None and mention.subject.startswith("/"):
        return "the cgroup "
    return "container " if mention.by in ("containerd", "crio", "conmon", "docker", "podman", "kubelet") else ""


def _who(mention: Mention) -> str | None:
    if mention.pid is not None:
        return f"{mention.name or 'pid'} ({mention.pid})" if mention.name else f"pid {mention.pid}"
    return mention.subject or mention.name


def _times(mention: Mention) -> str:
    return f", {mention.count} times" if mention.count is not None and mention.count > 1 else ""


def report_place(mention: Mention) -> str | None:
    """Return where the kernel's own report of it is; None where it is in the same evidence, or there is none."""
    if mention.event is not None:
        return None
    if mention.kind == EVICTION:
        return (
            "The kubelet ended the pod by its own threshold, so there is no kernel report; "
            "`kubectl describe node` shows the pressure."
        )
    if mention.by in _HOSTED:
        hint = _HOSTED[mention.by]
        return f"{hint[0].upper()}{hint[1:]}."
    if mention.kind == FAILURE:
        return f"The lines around it say which size was missing: {_command(mention)}."
    unit = "-u systemd-oomd" if "systemd-oomd" in mention.text else "-k"
    return f"The full report is not in this evidence: {_command(mention, unit)}."


def _command(mention: Mention, of: str = "-k") -> str:
    words = f"journalctl {of}"
    if mention.time is not None:
        words += f" --since '{_clock(mention.time - _BEFORE)}' --until '{_clock(mention.time + _AFTER)}'"
    return f"`{words}` {_machine(mention)}"


def _clock(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


def _machine(mention: Mention) -> str:
    if mention.host:
        return f"on {mention.host}"
    names = {
        "kubelet": "on the node of the pod", "node-problem-detector": "on the node",
        "slurmstepd": "on the compute node",
        "srun": "on the compute node", "slurm": "on the compute node", "slurmctld": "on the compute node",
        "docker": "on the machine of the container", "podman": "on the machine of the container",
        "nomad": "on the client node",
    }  # fmt: skip
    return names.get(mention.by, "on that machine")
