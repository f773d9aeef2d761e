"""A study in Python or in a notebook: a suite that is run, judged and shown from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ablate.flow import Study as Analysed
    from ablate.types import Suite

LONGEST = 40
"""Letters of a study's name, where its question gives it."""


class Study:
    """A question, its arms, and a function that trains and scores one of them with a seed.

    The arguments are those of a suite in YAML, which `text` shows and `save` writes: it is read by
    the same reader, registered before its first run, and resumed; `run` goes on where it ended.

    A function of a module runs in worker processes. One of a notebook, of the script itself, a
    lambda or a closure runs in this very process, run after run; what one run leaves behind (global
    state, seeds of libraries) the next one meets, which its records say (`in_process`). Its records
    rest on its source, on the values that it closes over and on what it reads of its module: plain
    values, arrays, functions, classes. Whatever else it reads is for the caller to mind.
    """

    def __init__(
        self,
        question: str,
        arms: Mapping[str, Mapping[str, Any] | None] | None = None,
        run: Callable[..., Any] | None = None,
        *,
        seeds: int | Mapping[str, int] | Sequence[int] = 20,
        contrasts: Sequence[Any] | None = None,
        baseline: str | None = None,
        metric: str | None = None,
        margin: float | Sequence[float] | None = None,
        metrics: Mapping[str, Mapping[str, Any]] | None = None,
        base: Mapping[str, Any] | None = None,
        name: str = "",
        results: str | Path = "results",
        **sections: Any,
    ) -> None:
        """Declare a study; nothing is run.

        question: a sentence that ends in '?'. arms: by name, the parameters of each. run: called as
        `run(seed=..., **params)`; it gives a number, a mapping of numbers by metric, or lists for
        curves. Parameters come from the arm, from `base`, or from the function's own defaults, and
        arrive as plain values (a tuple as a list). seeds: how many, `{"first": 100, "count": 20}`,
        or which. contrasts: pairs (treatment, baseline), or mappings as in YAML; without them every
        arm against `baseline`, by default the first. metric, margin: of the contrasts that say none
        of their own; the margin is in the metric's unit. metrics: by name what each is like,
        `{"loss": {"better": "lower", "range": [0, 1]}}`; by default `metric` alone, a higher one
        better. name: of its folder in `results`; by default from the question. sections: the other
        keys of a suite (`factorial`, `vary`, `looks`, `same`, `alpha`, `correction` ...), among
        them `ablate=["warmup", "ema"]` instead of arms: switches that are true in the function's
        defaults, or parts by name with what each is without; `pairs`, `none`, `screen` beside it.

        Raises ArgumentError with every problem of the suite, SelectionError for what no suite says.
        """
        from ablate.api import arguments
        from ablate.design.reader import parse_suite
        from ablate.errors import SelectionError, SuiteError
        from ablate.registry import scan

        if run is None:
            raise SelectionError("Study(run=...): give the function that trains, run=train")
        known = metrics or {metric or "accuracy": {}}
        claims = {
            "contrasts": contrasts,
            "baseline": baseline,
            "metric": metric or next(iter(known)),
            "margin": margin,
        }
        more = {"seeds": seeds, **sections}
        text = arguments.suite_text(question, run, arms, base or {}, known, claims, more)
        label = name or re.sub(r"\W+", "-", question.lower()).strip("-")[:LONGEST].strip("-")
        label = label or "study"
        try:
            suite = parse_suite(text.encode(), label, f"{label}.yaml", scan())
        except SuiteError as error:
            raise arguments.fault(error, text) from None
        self._open(suite, results)

    @classmethod
    def of_suite(cls, suite: Suite, results: str | Path = "results") -> Study:
        """Give the study of a suite that was read already."""
        study = cls.__new__(cls)
        study._open(suite, results)
        return study

    def _open(self, suite: Suite, results: str | Path) -> None:
        self.suite, self.results = suite, Path(results)
        self._analysed: Analysed | None = None

    @property
    def text(self) -> str:
        """The suite in YAML."""
        return self.suite.text

    def run(
        self,
        *,
        workers: int | None = None,
        executor: str | None = None,
        until_decided: bool = False,
        fresh: bool = False,
        data_root: str | Path | None = None,
        progress: Callable[[str], object] | None = None,
    ) -> Study:
        """Run what no record answers yet, and judge it; gives the study itself, for its display.

        An interrupt (KeyboardInterrupt) keeps every run that had finished; `run` goes on.

        workers: processes, by default one a core; a function of a notebook has none. executor:
        where stacks run, as the command's `--executor`. until_decided: add seeds look by look until
        every claim is decided. fresh: run everything again. data_root:
        of data files, by default `ABLATE_DATA`, or `data`. progress: takes a line at a time;
        without it they go to the logger `ablate`.

        Raises StoreError while another process writes to the folder, and what a suite raises.
        """
        from ablate.api import running

        options = running.Options(
            workers=workers,
            executor=executor,
            until_decided=until_decided,
            fresh=fresh,
            data_root=data_root,
            progress=progress,
        )
        self._analysed = running.run(self.suite, self.results, options)
        return self

    @property
    def verdicts(self) -> pd.DataFrame:
        """Verdicts, a row a claim, with the columns of `compare`'s JSON.

        treatment, baseline, metric, estimate (treatment - baseline), low, high, confidence, margin,
        verdict, p, p_adjusted, n (pairs), why; estimates in the metric's unit, of our learners in
        points. Raises StoreError where nothing was run.
        """
        from ablate.api import frames

        return frames.verdicts(self._study())

    @property
    def records(self) -> pd.DataFrame:
        """Scores, a row a run, metric and step: run, arm, seed, metric, step, value.

        A run that was lost has a row without a value. Raises StoreError where nothing was run.
        """
        from ablate.api import frames

        return frames.records(self._study())

    def report(self, folder: str | Path | None = None) -> Path:
        """Write `report.md` and its pictures, by default into the study's folder; gives its path.

        `verify` recomputes a report that stands in its own folder. Raises StoreError where nothing
        was run.
        """
        from ablate.registry import scan

        study = self._study()
        where = self.results / study.suite.name if folder is None else Path(folder)
        path: Path = scan().load("report", "full")().write(study, where)
        return path

    def save(self, path: str | Path) -> Path:
        """Write the suite to a file, for `ablate-study run`. Raises SelectionError for functions
        that no command can import."""
        from ablate.errors import SelectionError
        from ablate.plan.functions import of_notebook

        if names := of_notebook(self.suite):
            raise SelectionError(
                f"{', '.join(names)} is known to this process alone, and no command can import it: "
                "put the function into a module"
            )
        Path(path).write_text(self.text, "utf-8")
        return Path(path)

    def _study(self) -> Analysed:
        """Give what the study came to; read from its records where it was run before."""
        if self._analysed is None:
            from ablate.api import running

            self._analysed = running.stored(self.suite, self.results)
        return self._analysed

    def __repr__(self) -> str:
        """Say its question and how much of it there is."""
        arms = len({variant.arm for variant in self.suite.variants})
        return f"<Study {self.suite.question!r}: {arms} arms, {self.suite.seeds} seeds>"

    def _repr_html_(self) -> str:
        """Show the answer and the verdicts; before the first run, what is asked."""
        from html import escape

        from ablate.core.foreign_text import STORED, plain
        from ablate.errors import StoreError
        from ablate.registry import scan

        try:
            study = self._study()
        except StoreError as error:
            asked = escape(plain(self.suite.question, STORED))
            return f"<h3>{asked}</h3><p>{escape(plain(error, STORED))}: run() runs it.</p>"
        page: str = scan().load("report", "notebook")().study(study)
        return page


def load(
    source: str | Path,
    *,
    seeds: int | None = None,
    quick: bool = False,
    changes: Sequence[str] = (),
    results: str | Path = "results",
    trust: bool = False,
) -> Study:
    """Open a YAML suite, by its file or by the name of a shipped one, as a study.

    seeds: how many, instead of its own number. quick: apply its `quick` block. changes:
    `path=value`, put into its base. trust: let it call functions that are neither installed nor in
    its folder: a suite can run code.

    Raises SuiteError with every problem at its place, SelectionError for an unknown name,
    TrustError.
    """
    from ablate.flow import open_suite
    from ablate.registry import scan
    from ablate.workflows.trust import admit

    suite = open_suite(source, seeds, quick, changes)
    admit(suite, scan(), trust)
    return Study.of_suite(suite, results)
