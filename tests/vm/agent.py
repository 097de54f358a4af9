"""Runs inside the guest: takes one JSON line a scenario, runs it in a child, answers with one JSON line.

The agent itself is out of the OOM killer's reach; a child starts with a score of 0 and may do with it what it likes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MARK = "OOMTOP-VM "
# A scenario is a function, shipped as its source, whose annotations nobody reads here; what it returns is what the host
# gets.
CHILD = """
import __future__, json, sys
request = json.load(open(sys.argv[1]))
names = {"__name__": "scenario"}
exec(compile(request["code"], request["name"], "exec", __future__.annotations.compiler_flag), names)
with open(sys.argv[2], "w") as file:
    json.dump(names[request["name"]](**request["values"]), file)
"""


def say(**answer: Any) -> None:
    # The kernel's console may share the line.
    sys.stdout.write("\n" + MARK + json.dumps(answer) + "\n")
    sys.stdout.flush()


def run(request: dict[str, Any]) -> None:
    folder = Path("/run/oomtop-vm")
    folder.mkdir(exist_ok=True)
    ask, reply, said = folder / "ask.json", folder / "reply.json", folder / "said.txt"
    reply.unlink(missing_ok=True)
    ask.write_text(json.dumps(request))
    with open(said, "wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, ask, reply], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            code = child.wait(request["timeout"])
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            code = None
    text = said.read_text(errors="replace")[-6000:]
    if code == 0 and reply.exists():
        say(result=json.loads(reply.read_text()), said=text)
    else:
        say(error="timeout" if code is None else f"exit {code}", said=text)


def main() -> None:
    Path("/proc/self/oom_score_adj").write_text("-1000")
    subprocess.run(["modprobe", "-a", "virtio_blk", "zram"], check=False, stderr=subprocess.DEVNULL)
    say(ready=True)
    for line in sys.stdin:
        run(json.loads(line))


main()
