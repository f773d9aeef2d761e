"""The command `doctor`: whether all is in order, and what can be saved of a damaged store."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ablate.commands.options.opened_suite import data_option, results_option
from ablate.commands.terminal import say
from ablate.core.foreign_text import STORED, plain


@click.command()
@results_option
@data_option
@click.option(
    "--recover",
    type=click.Path(path_type=Path),
    metavar="NEW",
    help="Save what is readable of the store in --results into the folder NEW, and count the rest.",
)
def doctor(results: Path, data_root: Path, recover: Path | None) -> None:
    """Say whether all that a run needs is in order: packages, data, device, store, disk.

    Ends with 1 where something is not.
    """
    from ablate.errors import ExitCode
    from ablate.records import recovery
    from ablate.workflows.upkeep.health import findings

    if recover:
        saved = recovery.recover(results, recover)
        lost = "an unknown number of runs is" if saved.lost < 0 else f"{saved.lost} runs are"
        where = plain(recover, STORED)
        say(f"{saved.runs} runs and {saved.notes} notes saved in {where}; {lost} lost")
        say(f"`--results {where}` goes on with them")
        return
    amiss = 0
    for finding in findings(results, data_root):
        amiss += bool(finding.advice)
        advice = f" -> {plain(finding.advice, STORED)}" if finding.advice else ""
        say(f"{finding.what}: {plain(finding.says, STORED)}{advice}")
    what = "1 thing is" if amiss == 1 else f"{amiss} things are"
    say(f"{what} not in order." if amiss else "All is in order.")
    if amiss:
        sys.exit(ExitCode.DIFFERENCE)
