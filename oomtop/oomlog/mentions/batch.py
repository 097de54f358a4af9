"""Batch systems: Slurm, PBS, LSF, Grid Engine, HTCondor, YARN, Ray, Nomad."""

from __future__ import annotations

from oomtop.oomlog.mentions.mention import shape

SHAPES = (
    shape(
        "slurmstepd",
        r"Detected (?P<count>\d{1,9}) oom[-_]kill event(?:\(s\)|s)? in (?P<subject>StepId=[\w.+-]*\w|step \S*\w)",
    ),
    shape("slurmstepd", r"(?P<subject>(?:[Ss]tep|[Jj]ob)[ =]\S{1,40}) exceeded memory limit .{0,80}being killed"),
    shape("slurmstepd", r"Exceeded (?:job|step) memory limit at some point"),
    shape("slurmctld", r"(?P<subject>JobId=\d{1,12})\S{0,40} OOM failure"),
    shape("slurm", r"(?P<subject>Job_id=\d{1,12}) .{0,120}OUT_OF_MEMORY"),
    shape("slurm", r"(?P<subject>JobId=\d{1,12})\b.{0,200}JobState=OUT_OF_MEMORY"),
    shape("slurm", r"(?:^|\s)(?:Job)?State[:=] ?OUT_OF_MEMORY"),
    shape("slurm", r"^ *(?P<subject>\d{1,12}(?:_\d{1,9})?(?:\.\w{1,20})?)[ |].{0,200}\bOUT_OF_ME(?:MORY|\+)"),
    shape("srun", r"srun: error: (?P<subject>\S{1,255}: tasks? \S{1,80}): Out Of Memory", joins=True),
    shape("pbs", r"PBS: job killed: (?:v?mem|pmem) \S{1,30} exceeded limit"),
    shape("pbs", r"Cgroup (?:mem(?:ory)?|memsw) limit exceeded"),
    shape("lsf", r"TERM_MEMLIMIT: job killed after reaching LSF memory usage limit"),
    shape("sge", r"\bjob (?P<subject>\d{1,12}(?:\.\d{1,9})?) exceeds? job (?:hard|soft) limit \"?[hs]_(?:vmem|rss)"),
    shape("htcondor", r"Job has gone over (?:cgroup )?memory limit of"),
    shape(
        "yarn",
        r"Container \[pid=(?P<pid>\d{1,10}),containerID=(?P<subject>\w{1,80})\] is running .{0,60}beyond .{0,20}"
        r"memory limit",
    ),
    shape("yarn", r"Container killed by YARN for exceeding (?:physical )?memory limits"),
    shape("ray", r"(?P<count>\d{1,9}) Workers? \(tasks / actors\) killed due to memory pressure \(OOM\)"),
    shape("ray", r"[Tt]ask was killed due to the node running low on memory"),
    shape("nomad", r"\btask=\"?(?P<subject>[\w.-]{1,128})(?![\w.-])\"?.{0,200}\bOOM [Kk]illed\b"),
    shape("nomad", r"Exit Message: \\?\"OOM [Kk]illed"),
    shape("nomad", r"\boom_killed[=:] ?\\?\"?true\b.{0,200}\btask=\"?(?P<subject>[\w.-]{1,128})"),
)
CONTEXT = (
    r"^Task \"(?P<subject>[^\"]{1,128})\" is \"",
    r"^Job ID: (?P<subject>\d{1,12})",
    r"^(?P<subject>JobId=\d{1,12})\b",
    r"^ID +: (?P<subject>[\w-]{1,80})$",
)
"""Lines before that name the job or task which the ones without a name are about."""
