"""What people call an action, beside its description: the command palette finds it by these words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType({
    "action.kill": "kill end stop terminate signal sigterm sigkill sigint sighup send leak swarm oom term pkill hang",
    "action.adjust": "protect spare save sacrifice prefer oom_score_adj oom score adj choose nice renice priority",
    "action.freeze": "freeze stop pause suspend thaw unfreeze resume continue sigstop sigcont halt",
    "action.reclaim": "reclaim page out free memory release compact cache swap cold fragmentation cgroup",
    "action.drop_caches": "drop caches clear flush purge page cache free memory dentries inodes slab reclaim",
    "action.limit": "limit cap restrict confine quota raise lower memory.max memory.high memory.low max high cgroup",
    "action.swap": "swap swapfile swapon swapoff zram add memory disk",
    "action.settings": "settings sysctl kernel tune swappiness overcommit vm oom",
    "action.undo": "undo revert take back restore previous",
    "action.arm": "arm disarm automatic trigger before limit freeze term",
    "app.search": "search find look grep name",
    "app.filter": "filter only show hide match where leak grow",
    "app.user": "user owner uid only who",
    "app.environment": "environment variables env",
    "app.open_files": "open files lsof descriptors fd deleted sockets",
    "app.strace": "strace trace system calls debug",
    "app.command": "command line arguments argv",
    "app.next_danger": "danger next oom limit full cgroup",
    "app.previous_danger": "danger previous oom limit full cgroup",
    "app.next_tab": "tab next",
    "app.previous_tab": "tab previous",
    "app.pause": "pause hold stop freeze screen still resume continue",
    "app.slower": "interval refresh slower delay seconds",
    "app.faster": "interval refresh faster delay seconds",
    "app.chart": "chart graph plot forecast pressure psi swap",
    "app.chart_further": "chart graph history range longer zoom",
    "app.alerts": "alerts alarms notifications rules",
    "app.copy": "copy clipboard yank",
    "app.export": "export screenshot picture svg save",
    "app.setup": "setup settings preferences options configure theme colours columns interval ascii",
    "app.rescan": "refresh redraw rescan reload update now",
    "app.quit": "quit exit leave close",
    "app.help": "help keys manual explain meaning what",
    "app.suspend": "suspend background shell stop",
    "replay.minutes_before": "replay recording before what happened history",
    "replay.mark": "mark compare diff before moment",
    "replay.compare": "compare diff difference since changes",
    "app.victim": "suspect jump victim culprit next dies oom leak biggest",
    "table.details": "details process maps smaps memory inspect open show",
    "table.tag": "tag mark select",
    "table.tag_tree": "tag mark children descendants tree",
    "table.untag": "untag unmark clear none",
    "table.tree": "tree parents children hierarchy",
    "table.group": "group aggregate sum total program user cgroup",
    "table.follow": "follow keep track cursor",
    "table.kernel_threads": "kernel threads kthreads hide show",
    "table.sort_menu": "sort order column by",
    "table.sort_memory": "sort order rss biggest largest top",
    "table.sort_cpu": "sort order busy",
    "table.invert": "sort order reverse descending ascending",
})  # fmt: skip
"""By the id of its binding."""
TAB_WORDS: Mapping[str, str] = MappingProxyType({
    "processes": "tasks programs memory top",
    "cgroups": "groups containers pods services units limits docker kubernetes systemd",
    "events": "oom kills killed killer log why victim post-mortem history dmesg",
    "kernel": "settings sysctl vmstat zones slab fragmentation buddyinfo numa memory swappiness",
})  # fmt: skip
"""By the name of a tab."""
