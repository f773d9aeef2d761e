"""What a study in Python does when it is run: as the command does, with lines instead of a screen.

The order is the command's: whatever is refused is refused before anything is written, and claims
are frozen before the first run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate import flow
from ablate.analysis import caveats
from ablate.errors import StoreError
from ablate.plan import dispatch, functions, pending
from ablate.plan.opening import read_executor
from ablate.records import ownership, registration
from ablate.records.provenance import usable_cores
from ablate.records.results_folder import make_folder, sole_writer
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import Site, Status, Suite
from ablate.workflows import prospects
from ablate.workflows.inert_check import check

LOG = logging.getLogger("ablate")


@dataclass(frozen=True)
class Options:
    """What `Study.run` was asked for."""

    workers: int | None = None
    executor: str | None = None
    until_decided: bool = False
    fresh: bool = False
    data_root: str | Path | None = None
    progress: Callable[[str], object] | None = None

    def say(self, lines: Iterable[str]) -> None:
        """Hand lines on as they come."""
        for line in lines:
            (self.progress or LOG.info)(line)


def run(suite: Suite, results: Path, options: Options) -> flow.Study:
    """Run what is left of a suite, and judge it."""
    root = Path(options.data_root or os.environ.get("ABLATE_DATA", "data"))
    site = Site(str(root.absolute()), folder=str(results.absolute() / "programs"))
    functions.reread(suite)
    opened = _screened(suite, results, site, options) if suite.screening else suite
    opened = flow.with_looks(opened) if options.until_decided else opened
    planned = flow.prepare(opened, root, None, fetch=True)
    dispatch.demand(planned.stacks, scan())
    with sole_writer(results), closing(open_store(results)) as store:
        opened, suite = ownership.settled(opened, store), ownership.settled(suite, store)
        ownership.take(opened, store)
        make_folder(results / opened.name)
        work = flow.prepare(opened, root, store, fresh=options.fresh, before=planned)
        options.say(store.damage.lines())
        stale = pending.stale_ones(work.reasons, work.records, work.stacks)
        caveats.keep(opened, store, stale, work.kept)
        registration.freeze(opened, store, len(work.records))
        options.say(work.plan.warnings)
        frozen = registration.registered(opened, store)
        options.say(prospects.lines(registration.as_registered(opened, frozen)))
        looks = flow.by_look(opened, root, store, before=planned)
        with _crew(suite, options) as crew:
            for part in looks if options.until_decided else (work,):
                if part.stacks:
                    options.say(check(opened, store, site, crew))
                    options.say(_lines(flow.run(part, store, site, crew), part))
        return flow.analyse(suite, store)


def _screened(suite: Suite, results: Path, site: Site, options: Options) -> Suite:
    """Run the arms that say which parts may matter, and give the suite with claims about those."""
    first, root = suite.screening or suite, Path(site.data_root)
    planned = flow.prepare(first, root, None, fetch=True)
    with sole_writer(results), closing(open_store(results)) as store:
        first = ownership.settled(first, store)
        ownership.take(first, store)
        work = flow.prepare(first, root, store, fresh=options.fresh, before=planned)
        registration.freeze(first, store, len(work.records))
        if work.stacks:
            with _crew(first, options) as crew:
                options.say(_lines(flow.run(work, store, site, crew), work))
        return flow.stage(suite, store)


def stored(suite: Suite, results: Path) -> flow.Study:
    """Judge what is stored of a suite. Raises StoreError where nothing is."""
    with closing(open_store(results, create=False)) as store:
        suite = ownership.settled(suite, store)
        if not flow.records(suite, store):
            raise StoreError(f"no run of {suite.name} in {results}")
        return flow.analyse(suite, store)


@contextmanager
def _crew(suite: Suite, options: Options) -> Iterator[Any]:
    """Keep an executor; a function of a notebook has none but this process.

    A function of a module has processes of its own even if that is one: this one may have loaded
    the module before it was edited.
    """
    where = read_executor(options.executor) if options.executor else suite.executor
    if functions.of_notebook(suite):
        where, count, inline = None, 1, True
    else:
        usual = usable_cores() if not where or where.name == "processes" else 0
        count = options.workers or usual
        inline = options.workers == 1 and not where and not functions.named(suite)
    with flow.crew(count, LOG.debug, inline=inline, where=where) as crew:
        yield crew


def _lines(events: Iterator[flow.Finished], work: flow.Work) -> Iterator[str]:
    """Say how far the runs have come, a line a stack."""
    total = sum(len(stack.runs) for stack in work.stacks)
    done = lost = 0
    for event in events:
        done += len(event.results)
        lost += sum(result.status != Status.OK for result in event.results)
        yield f"{done} of {total} runs done" + (f", {lost} lost" if lost else "")
