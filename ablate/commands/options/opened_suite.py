"""Options that open a suite: which, how it is changed, where its data and its results are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.commands.terminal import confirmed, is_terminal

if TYPE_CHECKING:
    from ablate.types import Suite

results_option = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the store and the reports.",
)
data_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="ABLATE_DATA",
    default=Path("data"),
    show_default=True,
    help="Folder of the data files; also ABLATE_DATA.",
)


device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 ..."
)


quick_option = click.option(
    "--quick",
    is_flag=True,
    help="Apply the suite's `quick` block, else five seeds and half of the epochs: minutes.",
)
trust_option = click.option(
    "--trust",
    is_flag=True,
    help="A suite can run code (arrays: {source: module:function}): call its functions also where "
    "they are neither installed nor in its folder, without asking.",
)


def admit(suite: Suite, trusted: bool) -> None:
    """Let a suite's functions be called, asking where somebody sits at a terminal."""
    from ablate.registry import scan
    from ablate.workflows import trust

    def ask(question: str) -> bool:
        return confirmed(f"{question} Run it?")

    trust.admit(suite, scan(), trusted, ask if is_terminal() else None)


def functions(suite: Suite) -> list[str]:
    """Name the functions that a suite has called while it is planned."""
    from ablate.registry import scan
    from ablate.workflows import trust

    return [call.source for call in trust.calls(suite, scan())]


def of_suite(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that open a suite; it receives the Suite itself."""

    @wraps(command)
    def opening(
        suite: str,
        quick: bool,
        changes: tuple[str, ...],
        seeds: int | None,
        trust: bool,
        **rest: Any,
    ) -> None:
        from ablate.commands.rehearsal import rehearse
        from ablate.plan.opening import open_suite

        rehearse(lambda: open_suite(suite, seeds, quick, changes))
        opened = open_suite(suite, seeds, quick, changes)
        admit(opened, trust)  # before anything that the suite names is called, in a copy too
        if root := rest.get("data_root"):
            rehearse(lambda: _planned(opened, root), functions(opened))
        command(opened, **rest)

    options = (
        click.argument("suite", metavar="SUITE"),
        quick_option,
        trust_option,
        click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="PATH=VALUE",
            help="Change the suite's base, as in dataset=digits; may be repeated.",
        ),
        click.option(
            "--seeds",
            type=click.IntRange(1, 100_000),
            help="Seeds, instead of the suite's own number.",
        ),
        results_option,
    )
    for option in reversed(options):
        opening = option(opening)
    return opening


def _planned(suite: Suite, root: Path) -> object:
    from ablate import flow  # here, since a run with nothing to do needs none of it

    return flow.prepare(suite, root, None)
