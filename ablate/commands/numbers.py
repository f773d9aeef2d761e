"""Commands on numbers that are there: verdicts on anybody's table, and claims held by a gate."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from ablate.commands.options.opened_suite import results_option
from ablate.commands.shared import say, say_all
from ablate.core.foreign_text import STORED, plain
from ablate.errors import ExitCode


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--margin",
    help="Smallest difference that matters, in its own unit; -1,+2 for a loss and a gain.",
)
@click.option(
    "--worst",
    type=float,
    help="Largest difference that one pair may show, where pairs tie exactly.",
)
@click.option(
    "--anytime", is_flag=True, help="Read by a rule that holds however often it was read."
)
@click.option(
    "--pair",
    multiple=True,
    default=("seed",),
    show_default=True,
    help="Column that makes two rows a pair; repeated, all together.",
)
@click.option(
    "--arm",
    multiple=True,
    default=("method",),
    show_default=True,
    help="Column that names the arm; repeated, the columns of the arms.",
)
@click.option("--metric", default="accuracy", show_default=True, help="Column of the scores.")
@click.option("--block", help="Column of data sets or settings; pairs are made inside each.")
@click.option("--baseline", help="Arm that all others are compared with [default: all pairs].")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Rate of false claims.")
@click.option(
    "--correction",
    default="holm",
    show_default=True,
    help="holm, hommel, bonferroni, bh, by or none.",
)
@click.option("--looks", default="", help="Numbers of pairs at which it was to be read: 5,8,12.")
@click.option(
    "--less-is-better",
    "--lower",
    "lower",
    is_flag=True,
    help="A lower score is better, as of a loss; for ranks and words.",
)
@click.option("--last", help="Column of steps or epochs: of each run, only its last row counts.")
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only rows that have it count, as step=500; repeated, all together.",
)
@click.option(
    "--claim",
    default="",
    metavar="SIDE",
    help="helps or hurts, if claimed before the data: alpha on that side.",
)
@click.option(
    "--unpaired", is_flag=True, help="Take runs for independent ones, in no pairs (Welch)."
)
@click.option(
    "--cluster", help="Column of pairs that may resemble each other, as items of a document."
)
@click.option(
    "--test-train",
    metavar="RATIO",
    help="Rows tested over rows trained on, of folds or resamples, as 1/9; 0: independent.",
)
@click.option("--test-rows", type=int, help="Test rows that each score is of.")
@click.option("--resolution", type=float, help="What one test row is worth in the metric.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write report.md with pictures and comparison.json there, too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def compare(
    file: Path,
    pair: tuple[str, ...],
    arm: tuple[str, ...],
    looks: str,
    test_train: str | None,
    margin: str | None,
    folder: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Judge a table that this toolkit did not make: CSV, JSON, Parquet, packed too, long or wide.

    FILE may be - for standard input. Without a margin differences have intervals and no verdict.
    Ends with 4 where nothing could be tested.
    """
    import json

    from ablate.analysis.tables.compare import compare as judge
    from ablate.registry import scan
    from ablate.tables.files import read_table
    from ablate.tables.text import content

    try:
        planned = [int(word) for word in looks.replace(",", " ").split()]
    except ValueError:
        raise click.UsageError(f"--looks {looks!r}: whole numbers, as in 5,8,12,20") from None
    names: Any = arm[0] if len(arm) == 1 else arm
    wanted = [*pair, *arm, settings["metric"], *filter(None, [settings["block"]])]
    sizes = margins(margin)
    with uncollected():
        raw = content(file)
        table = read_table(file, wanted, raw)
        result = judge(
            table,
            margin=sizes,
            pair=pair,
            arm=names,
            looks=planned,
            test_train=ratio(test_train),
            **settings,
        )
    if as_json:
        say_all(json.dumps(result.to_dict(), indent=1).splitlines())
    else:
        say_all(scan().load("report", "comparison")().lines(result))
    if folder:
        page = scan().load("report", "comparison-page")()
        path = page.write(result, folder, origin(file, raw))
        say(f"\nReport: {plain(path, STORED)}", err=as_json)
    if not result.tested:
        sys.exit(ExitCode.NOTHING_TESTED)


@click.command()
@click.argument("source", metavar="SUITE|REPORT|FILE")
@click.option(
    "--expect",
    "texts",
    multiple=True,
    required=True,
    metavar="TEXT",
    help="'a - b [metric]: not worse than 0.5 points'; also: not better than, better by more "
    "than, worse by more than, within, differs by more than. Repeated, all of them.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(1e-6, 0.5),
    help="Rate of false claims [default: the suite's, or 0.05].",
)
@results_option
@click.option(
    "--pair", multiple=True, default=("seed",), show_default=True, help="Of a FILE: pair columns."
)
@click.option(
    "--arm", multiple=True, default=("method",), show_default=True, help="Of a FILE: arm columns."
)
@click.option(
    "--metric", default="accuracy", show_default=True, help="Of a FILE: column of the scores."
)
@click.option("--less-is-better", "lower", is_flag=True, help="Of a FILE: a lower score is better.")
@click.option("--last", help="Of a FILE: column of steps; of each run only its last row counts.")
@click.option(
    "--where", multiple=True, metavar="COLUMN=VALUE", help="Of a FILE: only such rows count."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def gate(
    source: str, texts: tuple[str, ...], alpha: float | None, as_json: bool, **settings: Any
) -> None:
    """Hold what is expected of two arms against stored runs, or a table of scores.

    SUITE is judged by the runs in --results, a report.md by the store two folders up. Ends with 0
    where all of it is kept, 1 where some is broken, 5 where some is undecided and none broken.
    """
    import json

    from ablate.registry import scan
    from ablate.workflows.gate import sources
    from ablate.workflows.gate.expectations import BROKEN, OPEN, read

    report = scan().load("report", "gate")()
    with uncollected():
        outcomes = sources.of(source, [read(text) for text in texts], alpha, **settings)
    if as_json:
        say_all(json.dumps(report.data(outcomes), indent=1).splitlines())
    else:
        say_all(report.lines(outcomes))
    came = {outcome.word for outcome in outcomes}
    if BROKEN in came:
        sys.exit(ExitCode.DIFFERENCE)
    if OPEN in came:
        sys.exit(ExitCode.UNDECIDED)


def ratio(text: str | None) -> float | None:
    """Read a ratio, a number or a fraction. Raises UsageError for what is neither."""
    try:
        return None if text is None else float(Fraction(text.replace(" ", "")))
    except (ValueError, ZeroDivisionError):
        raise click.UsageError(f"--test-train {text!r}: a ratio, as 0.25 or 1/9") from None


def origin(file: Path, raw: bytes) -> dict[str, str]:
    """Say what a report's scores are from, what read them, and how it was called.

    raw: the file's bytes, unpacked.
    """
    import hashlib
    import shlex
    from importlib.metadata import PackageNotFoundError, version

    from ablate.tables.text import STDIN

    try:
        toolkit = version("ablate-study")
    except PackageNotFoundError:  # a checkout that nobody installed
        toolkit = "not installed"
    return {
        "scores": "standard input" if file == STDIN else file.name,
        "SHA-256 of their text": hashlib.sha256(raw).hexdigest(),
        "command": shlex.join(["ablate-study", *sys.argv[1:]]),
        "ablate-study": toolkit,
    }


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile: a long table is millions of small tuples, none in a cycle."""
    import gc

    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def margins(text: str | None) -> float | tuple[float, ...] | None:
    """Read a margin, or one below 0 and one above. Raises UsageError for what is neither."""
    if text is None:
        return None
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2):
        raise click.UsageError(f"--margin {text!r}: a number, or two as in -1,+2")
    return numbers[0] if len(numbers) == 1 else numbers
