"""The process table: its lines, and what keys and clicks do."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from oomtop.analysis.oom_score.suspect import accused
from oomtop.frozen import replace
from oomtop.tui.base.messages import RowActivated
from oomtop.tui.process_table.cells import column_at
from oomtop.tui.process_table.colours import COMPONENTS, STYLES
from oomtop.tui.process_table.lines import ProcessLines
from oomtop.tui.process_table.order import ids_of
from oomtop.tui.process_table.rows import Grouping, subtree


def _key(key: str, action: str, description: str, id: str) -> Binding:
    return Binding(key, action, description, show=False, id=f"table.{id}")


_BINDINGS: list[BindingType] = [
    _key("up", "move(-1)", "Up", "up"),
    _key("down", "move(1)", "Down", "down"),
    _key("pageup", "page(-1)", "Page up", "page_up"),
    _key("pagedown", "page(1)", "Page down", "page_down"),
    _key("home", "edge(False)", "First", "home"),
    _key("end", "edge(True)", "Last", "end"),
    _key("left", "pan(-1)", "Columns to the left", "pan_left"),
    _key("right", "pan(1)", "Columns to the right", "pan_right"),
    _key("enter", "activate", "Details", "details"),
    _key("space", "tag", "Tag", "tag"),
    _key("c", "tag_tree", "Tag with descendants", "tag_tree"),
    _key("U", "untag", "Untag all", "untag"),
    _key("M", "sort('memory')", "Sort by memory", "sort_memory"),
    _key("P", "sort('cpu')", "Sort by CPU", "sort_cpu"),
    _key("T", "sort('time')", "Sort by CPU time", "sort_time"),
    _key("I", "invert", "Invert the order", "invert"),
    _key("less_than_sign", "sort_beside(-1)", "Sort by the column on the left", "sort_left"),
    _key("greater_than_sign", "sort_beside(1)", "Sort by the column on the right", "sort_right"),
    _key("f6", "sort_menu", "Choose the sort column", "sort_menu"),
    _key("g", "group", "Group by program, user, cgroup", "group"),
    _key("t,f5", "tree", "Tree", "tree"),
    _key("F", "follow", "Follow the process", "follow"),
    _key("O", "pin_order", "Hold the order: figures stay fresh, new rows come last", "pin_order"),
    _key("K", "kernel_threads", "Kernel threads", "kernel_threads"),
    _key("plus", "fold(True)", "Unfold", "unfold"),
    _key("minus", "fold(False)", "Fold", "fold"),
    *(_key(digit, f"jump('{digit}')", "Jump to a PID", f"jump_{digit}") for digit in "0123456789"),
]


class ProcessTable(ProcessLines, can_focus=True):
    """Sortable, filterable table of processes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = STYLES
    BINDINGS: ClassVar[list[BindingType]] = _BINDINGS

    def action_move(self, step: int) -> None:
        """Move the cursor by lines."""
        at = self._order.at(self._cursor)
        self._move_to(0 if at is None else at + step)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a screenful."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, last: bool) -> None:
        """Move to the first or the last line."""
        self._move_to(len(self._order.entries) - 1 if last else 0)

    def action_jump(self, digit: str) -> None:
        """Jump to the pid typed so far, which the header shows."""
        at = self._order.of_pid(self._typed.take(digit))
        if at is not None:
            self._put_on(at)
        self._repaint()

    def select_victim(self) -> None:
        """Select the victim of the danger on the strip, and nothing else: tags go, and what hides it.

        Without a danger it is the process that the first finding is about.
        """
        wanted = self._order.view.focus.victim
        if wanted is None and self._assessment is not None:
            wanted = accused(self._assessment)
        if wanted is None or wanted not in ids_of(self._order.rows):
            self.app.bell()
            return
        self.action_untag()
        for view in self._order.views_with(wanted):
            self._set_view(view)
        at = self._order.at(wanted)
        self.app.bell() if at is None else self._move_to(at)

    def action_pan(self, step: int) -> None:
        """Show columns further right or left; past the last one the command moves."""
        self._pan = max(0, min(self._pan + step, self._face.last_pan + 128))
        self._relayout()

    def action_activate(self) -> None:
        """Open the process under the cursor, or a group."""
        row = self.selected_row
        if row is not None:
            self.post_message(RowActivated(row))
        elif self._cursor is not None:
            self.action_fold(None)

    def action_tag(self) -> None:
        """Tag or untag the process under the cursor and go on to the next."""
        if self.selected is not None:
            self.tagged = self.tagged ^ {self.selected}
        self.action_move(1)

    def action_tag_tree(self) -> None:
        """Tag the process under the cursor and all its descendants, shown or not."""
        if self.selected is not None:
            self.tagged = self.tagged | subtree(self._order.rows, self.selected)
            self._repaint()

    def action_untag(self) -> None:
        """Remove all tags."""
        self.tagged = frozenset()
        self._repaint()

    def action_sort(self, id: str) -> None:
        """Sort by a column; a second time reverses the order."""
        self.sort_by(id)

    def action_sort_menu(self) -> None:
        """Ask for the sort column; the order holds still meanwhile."""
        from oomtop.tui.process_table.sort_menu import sort_chosen, sort_menu

        def chosen(at: int | None) -> None:
            self.hold_order = False
            sort_chosen(self.sort_by, self.view.column, at)

        self.hold_order = True
        self.app.push_screen(sort_menu(self.view.column), chosen)

    def action_sort_beside(self, step: int) -> None:
        """Sort by the column beside the present one."""
        shown = self._face.frame.columns
        at = shown.index(self.view.column) if self.view.column in shown else 0
        self.sort_by(shown[(at + step) % len(shown)].id)

    def action_group(self) -> None:
        """Group by program, by user, by cgroup, not at all."""
        kinds = (None, *Grouping)
        self.group_by(kinds[(kinds.index(self.view.grouping) + 1) % len(kinds)])

    def action_invert(self) -> None:
        """Reverse the order."""
        self.sort_by(self.view.column.id)

    def action_tree(self) -> None:
        """Switch between list and tree."""
        self._set_view(replace(self.view, tree=not self.view.tree, grouping=None, toggled=frozenset()))

    def action_follow(self) -> None:
        """Let the view follow the selected process, or not."""
        self.follow = not self.follow
        self._repaint()
        self._show_cursor()

    def action_pin_order(self) -> None:
        """Hold every row in its place, or sort again; a sort key sorts once and the order is held again."""
        self._is_pinned = not self._is_pinned
        if self._assessment is not None:
            self._reorder(self._is_pinned)
        self._repaint()

    def action_kernel_threads(self) -> None:
        """Show or hide kernel threads."""
        self._set_view(replace(self.view, kernel_threads=not self.view.kernel_threads))

    def action_fold(self, is_open: bool | None) -> None:
        """Unfold (True), fold (False) or switch (None) the branch or group under the cursor."""
        key, at = self._cursor, self._order.at(self._cursor)
        if key is None or at is None or self._order.entries[at].gone:
            return
        is_toggled = key in self.view.toggled
        was_open = is_toggled if self.view.grouping else not is_toggled
        if is_open is None or is_open != was_open:
            self._set_view(replace(self.view, toggled=self.view.toggled ^ {key}))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ignore `+` and `-` if nothing can be folded."""
        return action != "fold" or self.view.tree or self.view.grouping is not None

    def on_click(self, event: events.Click) -> None:
        """Select a line, sort by a title, open on a double click."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            column = column_at(offset.x, self._face.frame)
            if column is not None:
                self.sort_by(column.id)
            return
        index = self._order.index_of(int(self.scroll_offset.y) + offset.y - 1)
        if index is not None:
            self._move_to(index)
            if event.chain == 2:
                self.action_activate()
