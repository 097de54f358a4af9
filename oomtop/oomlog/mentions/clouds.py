"""Clouds, platforms and CI runners: what they print when they, or the kernel under them, end a process for memory."""

from __future__ import annotations

from oomtop.oomlog.mentions.mention import LIMIT, shape

SHAPES = (
    shape("lambda", r"RequestId: (?P<subject>\S{1,80})\s.{0,400}Error Type: Runtime\.OutOfMemory"),
    shape("lambda", r"(?<![\w-])(?P<subject>[\w-]{4,80}) Error: Runtime exited with error: signal: killed"),
    shape("lambda", r"\bRuntime\.OutOfMemory\b"),
    shape("ecs", r"OutOfMemoryError: Container killed due to memory usage"),
    shape("cloud-run", r"Memory limit of \S{1,20} \S{1,5} exceeded with \S{1,20} \S{1,5} used"),
    shape("cloud-functions", r"Function invocation was interrupted\. Error: memory limit exceeded"),
    shape("app-engine", r"Exceeded (?:soft|hard) memory limit of \S{1,20} \S{1,5} with"),
    shape("heroku", r"(?:heroku\[(?P<subject>[\w.-]{1,60})\].{1,20})?Error R15 \(Memory quota vastly exceeded\)"),
    shape("heroku", r"(?:heroku\[(?P<subject>[\w.-]{1,60})\].{1,20})?Error R14 \(Memory quota exceeded\)", LIMIT),
    shape("fly", r"Process appears to have been OOM killed"),
    shape("fly", r"\boom_killed=true\b"),
    shape("paas", r"[Ee]xit(?:ed with)? status \d{1,3} \(out of memory\)"),
    shape("paas", r"Ran out of memory \(used over \S{1,20}\)"),
    shape("azure", r"Container '(?P<subject>[^']{1,200})' was terminated .{0,60}reason 'OOMKilled'"),
    shape("bitbucket-pipelines", r"Container '(?P<subject>[^']{1,80})' exceeded memory limit"),
    shape("vercel", r"[Aa]t least one \"?Out of Memory\"? \(\"?OOM\"?\) event was detected"),
    shape("cloud-build", r"[Yy]our build ran out of memory"),
    shape("gitlab-runner", r"ERROR: Job failed.{0,80}\b(?:exit code 137|OOMKilled)\b"),
    shape("github-actions", r"##\[error\].{0,80}(?:exit code 137\b|\b[Oo]ut of memory\b)"),
    shape("circleci", r"Exited with code exit status 137|exit status 137.{0,60}out of memory"),
    shape("buildkite", r"Exited with status 137\b(?! \(out)"),
    shape("azure-pipelines", r"##\[error\].{0,40}Exit code 137 returned from process"),
    shape("gunicorn", r"Worker \(pid:(?P<pid>\d{1,10})\) was sent SIGKILL! Perhaps out of memory"),
    shape("dask", r"Worker .{0,120}exceeded 95% memory budget\. Restarting"),
)
