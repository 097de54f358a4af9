"""The keys that work on every tab, as data."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from oomtop.tui.replay.bindings import REPLAY_BINDINGS

_FILTER = "Filter: text, !regex, rss>1g and user=root"
APP_BINDINGS: list[BindingType] = [
    Binding("question_mark,f1,h", "open('help')", "Help", id="app.help"),
    Binding("k,f9", "act('kill')", "Kill: choose a signal", id="action.kill"),
    Binding("o", "act('adjust')", "oom_score_adj: protect or sacrifice", id="action.adjust"),
    Binding("f", "act('freeze')", "Freeze or thaw", id="action.freeze"),
    Binding("r", "act('reclaim')", "Reclaim memory without killing anything", id="action.reclaim"),
    Binding("d", "act('drop_caches')", "Drop caches", id="action.drop_caches"),
    Binding("L", "act('limit')", "Limit the cgroup", id="action.limit"),
    Binding("W", "act('swap')", "Swap: add a file or zram, turn off", id="action.swap"),
    Binding("y", "act('settings')", "Kernel settings", id="action.settings"),
    Binding("z", "act('undo')", "Undo the last reversible action", id="action.undo"),
    # With priority, so that keys typed right after them are text: other keys pass the table first, and those that
    # follow would have gone to it before there is a line to type in.
    Binding("slash,f3", "ask('search')", "Search", id="app.search", priority=True),
    Binding("backslash,f4", "ask('filter')", _FILTER, id="app.filter", priority=True),
    Binding("u", "ask('user')", "One user only", id="app.user", priority=True),
    Binding("e", "look_into('environment')", "Environment of the process", id="app.environment"),
    Binding("l", "look_into('files')", "Open files of the process", id="app.open_files"),
    Binding("s", "look_into('strace')", "Follow its system calls (strace)", id="app.strace"),
    Binding("w", "look_into('command')", "Full command of the process", id="app.command"),
    Binding("n", "danger(1)", "Next danger", id="app.next_danger"),
    Binding("N", "danger(-1)", "Previous danger", id="app.previous_danger"),
    Binding("J", "select_victim", "Select the next victim of the danger on the strip", id="app.victim"),
    Binding("escape", "nearest_danger", "Back to the nearest danger", show=False, id="app.nearest_danger"),
    Binding("tab", "beside(1)", "Next tab", id="app.next_tab"),
    Binding("shift+tab", "beside(-1)", "Previous tab", id="app.previous_tab"),
    Binding("Z", "pause", "Pause", id="app.pause"),
    Binding("plus", "change_interval(1)", "Refresh less often", id="app.slower"),
    Binding("minus", "change_interval(-1)", "Refresh more often", id="app.faster"),
    Binding("v", "chart", "Chart on or off", id="app.chart"),
    Binding("V", "chart(True)", "Chart over 1m, 10m, 1h, 6h, 24h", id="app.chart_further"),
    Binding("A", "act('arm')", "Arm one action on the danger, or disarm it", id="action.arm"),
    Binding("a", "open('alerts')", "Alerts: firing and configured", id="app.alerts"),
    Binding("C", "open('copy')", "Copy a cell, the line or the screen", id="app.copy"),
    Binding("X", "open('export')", "Export the screen as SVG", id="app.export"),
    Binding("f2,S", "open('setup')", "Setup: columns, theme, interval", id="app.setup"),
    Binding("colon,ctrl+p", "command_palette", "Command palette", id="app.palette"),
    Binding("ctrl+l", "rescan", "Redraw and rescan", id="app.rescan"),
    Binding("ctrl+z", "suspend_process", "Suspend; `fg` resumes", id="app.suspend"),
    # With priority: a screen of Textual's copies the selected text with Ctrl-C.
    Binding("ctrl+c", "quit", "Quit", show=False, id="app.interrupt", priority=True),
    Binding("q,f10", "quit", "Quit", id="app.quit"),
    *REPLAY_BINDINGS,
]
