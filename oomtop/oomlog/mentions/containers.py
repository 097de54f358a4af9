"""Container engines: containerd, CRI-O and conmon, docker, podman; their events and what inspect prints."""

from __future__ import annotations

from oomtop.oomlog.mentions.mention import shape

_ID = r"(?P<subject>[0-9a-f]{12,64})"
SHAPES = (
    shape("containerd", r"TaskOOM\b.{0,40}?[cC]ontainer_?(?:ID|id)\\?\"?[:=] ?\\{0,3}\"?" + _ID, adds=True),
    shape("containerd", r"/tasks/oom\b.{0,40}?container_id\\?\": ?\\?\"" + _ID, adds=True),
    shape("crio", r"OOM event received for container:? " + _ID),
    shape("crio", r"\bcrio\b.{1,200}[Cc]ontainer " + _ID + r".{0,60}(?:OOM killed|oom.?killed)"),
    shape("conmon", r"\bconmon " + _ID + r" <\w{1,10}>: (?:OOM received|OOM event received)"),
    shape("conmon", r"\bconmon " + _ID + r" <\w{1,10}>: .{0,40}\bOOM(?:[- ]kill(?:ed)?)?\b"),
    shape("podman", r"\bpodman\b.{0,80}\bcontainer (?:oom|OOM) " + _ID, adds=True),
    shape("docker", r"\bcontainer oom " + _ID, adds=True),
    shape("docker", r"\bcontainer die " + _ID + r".{0,20}exitCode=137", joins=True),
    shape("docker", r"\"(?:status|Action)\": ?\"oom\",.{0,40}?\"(?:id|ID)\": ?\"" + _ID, adds=True),
    shape("docker", r"\"id\": ?\"" + _ID + r"\",.{0,200}?\"(?:status|Action)\": ?\"oom\"", adds=True),
    shape("docker", r"\bdockerd?\b.{1,200}\b(?:container[= ]|ID=)" + _ID + r".{0,80}\b(?:oom|OOM)[-_ ]?[Kk]illed"),
)
