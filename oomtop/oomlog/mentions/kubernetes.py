"""Kubernetes: the kubelet and its events, pods as kubectl prints them, node-problem-detector.

pkg/kubelet/oom, pkg/kubelet/eviction, node-problem-detector/config/kernel-monitor.json
"""

from __future__ import annotations

from oomtop.oomlog.mentions.mention import EVICTION, shape

_VICTIM = r"victim process: (?P<name>[^,\"\\]{1,64}), pid: (?P<pid>\d{1,10})"
_QUOTE = r"(?:Memory cgroup o|O)ut of memory: Kill(?:ed)? process (?P<pid>\d{1,10}) \((?P<name>[^)]{0,64})\)"
QUOTE = shape("node-problem-detector", _QUOTE, quotes=True)
"""The kernel's line as the message of an event."""
_POD = r"(?P<subject>[a-z0-9](?:[a-z0-9./-]{0,252}[a-z0-9])?)"
SHAPES = (
    shape("node-problem-detector", r"\bOOMKilling\b.{1,400}?" + _QUOTE, quotes=True),
    shape("kubelet", r"System OOM encountered, " + _VICTIM),
    shape("kubelet", r"Cgroup OOM encountered, " + _VICTIM),
    shape(
        "kubelet", r"(?:\(x(?P<count>\d{1,9}) over .{1,20}\).{1,80})?(?:System|Cgroup) OOM encountered *(?:$|[\"\\])"
    ),
    shape("kubelet", r"Created an OOM event in container \\?\"(?P<subject>[^\"\\]{1,400})"),
    shape(
        "kubelet",
        r"Got sys oom event(?: from cadvisor)?: &?\{(?P<pid>\d{1,10}) (?P<name>.{1,64}?) \d{4}-.{1,80}? /\S{0,400} "
        r"(?P<subject>/\S{0,400})\}",
    ),
    shape(
        "kubelet",
        r"Got sys oom event\".{0,20}\bPid\\?\"?[:=](?P<pid>\d{1,10}).{1,20}?"
        r"ProcessName\\?\"?[:=]\\?\"?(?P<name>[^\"\\ ]{1,64})"
        r"(?:.{1,200}?VictimContainerName\\?\"?[:=]\\?\"?(?P<subject>/[^\"\\ }]{0,400}))?",
    ),
    shape("kubelet", r"event for " + _POD + r": \{kubelet .{1,80}\} Evicted: .{0,80}low on resource: memory", EVICTION),
    shape("kubelet", r"\bEvicted\s+(?:pod/)?" + _POD + r"\s.{0,80}low on resource: memory", EVICTION),
    shape("kubelet", r"viction manager: pod is evicted successfully\\?\".{0,20}pod=\\?\"?" + _POD, EVICTION),
    shape("kubelet", r"viction manager: pod(?:s)? " + _POD + r" (?:is |are )?evicted successfully", EVICTION),
    shape("kubelet", r"The node was low on resource: memory", EVICTION),
    shape("kubelet", r"^(?:[a-z0-9-]{1,63} +)?" + _POD + r" +\d{1,4}/\d{1,4} +(?:Init:)?OOMKilled\b"),
    shape("kubelet", r"(?:(?<![\w./-])|(?<=Pod/))" + _POD + r"\b[^\"'`#]{0,40}\bOOMKilled \(exit code \d{1,3}\)"),
    shape("kubelet", r"(?:^|[ ,{])[Rr]eason[:=] ?\\?\"?OOMKilled\b(?! [a-z]+ (?:the|a|an|that)\b)"),
)
NODES = (
    r"kubelet, (?P<node>[a-z0-9][\w.-]{0,252})",
    r"\bobject=\\?\"(?:[\w.-]{0,100}/)?(?P<node>[a-z0-9][\w.-]{0,252})\\?\" kind=\\?\"Node",
    r"\bnode/(?P<node>[a-z0-9][\w.-]{0,252})",
    r"event for (?P<node>[a-z0-9][\w.-]{0,252}): \{",
    r"\{kubelet (?P<node>[a-z0-9][\w.-]{0,252})\}",
)
"""Where a line names the node that it is about."""
