"""Runs as they finish: a live display on a terminal, else a line a stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ablate.commands.terminal import say, stream
from ablate.core.foreign_text import plain

if TYPE_CHECKING:
    from ablate.commands.progress import Progress
    from ablate.flow import Finished


def show_runs(progress: Progress, events: Iterator[Finished]) -> None:
    """Show the runs as they finish: a live display on a terminal, else a line a stack."""
    from rich.console import Console

    console = Console(file=stream(err=True))
    if not console.is_terminal:
        for event in events:
            progress = progress.after(event)
            say(progress.line(), err=True)
        return
    from rich.live import Live

    with Live(get_renderable=lambda: panel(progress), console=console, refresh_per_second=2):
        for event in events:
            progress = progress.after(event)


def panel(progress: Progress) -> Any:
    """Lay progress out for a terminal."""
    from rich.markup import escape
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("contrast", "seeds", "difference so far"):
        table.add_column(column)
    for label, seeds, estimate in progress.estimates():
        table.add_row(escape(plain(label)), str(seeds), estimate)
    rows = Table.grid()
    for part in (progress.line(), ProgressBar(progress.total, progress.done, width=60), table):
        rows.add_row(part)
    return rows
