"""Equal-budget tuning: every arm's trials, round by round, as ordinary runs of the store."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ablate.analysis.pairing import own
from ablate.core.tuning_values import Dial, Search, Tuned, TunedArm
from ablate.design.tuning import tuned_file
from ablate.design.tuning.settings import setting, with_params
from ablate.design.tuning.tuning_keys import Own
from ablate.errors import SelectionError
from ablate.plan.pending import look
from ablate.plan.run_keys import canonical, specify
from ablate.records import metrics
from ablate.registry import Catalogue
from ablate.streams import batch_tables
from ablate.types import Choice, Facts, RunResult, Status, Suite, Variant

TUNE_SEEDS = 3_000_000
"""Where tuning's seeds begin: no seed of a suite, of an A/A twin or of a pilot."""

DIGITS = 3
"""Significant digits of the numbers that are tried: more would only look exact."""

Reread = Callable[[Own], Suite]
"""Reads the suite anew with values put into its arms, by path."""


@dataclass(frozen=True)
class Trial:
    """One trial of an arm: its values by path, its score and the score's spread.

    In the metric's unit; nan where the trial was lost.
    """

    values: Mapping[str, Any]
    score: float
    spread: float


class Tuner:
    """Asks for one trial of every arm at a time, and is told their records.

    It is resumed by being asked again: the same records lead to the same trials. Trial 0 is the
    suite as it is written.
    """

    def __init__(self, reread: Reread, root: Path, catalogue: Catalogue) -> None:
        """Open a suite's search. Raises SelectionError where it has none, or Optuna is missing."""
        self.reread, self.catalogue = reread, catalogue
        self.suite = reread({})
        if self.suite.search is None:
            raise SelectionError("the suite does not say what may be tuned: it has no key `tune`")
        self.search: Search = self.suite.search
        self.facts = look(self.suite, catalogue, root, fetch=True)
        sizes = [facts.train_rows // facts.classes for facts in self.facts.values()]
        if 2 * self.search.rows > min(sizes, default=2 * self.search.rows):
            raise SelectionError(
                f"{self.search.rows} rows of each class to hold out, of about {min(sizes)}: at "
                "most half"
            )
        self.first = first_seed(self.suite, self.search.seeds, self.facts, catalogue)
        self.arms = {
            arm: dials
            for arm in dict.fromkeys(variant.arm for variant in written(self.suite))
            if (dials := self._dials(arm))
        }
        self.studies = {arm: _study(lower=self.search.lower) for arm in self.arms}
        self.trials: dict[str, list[Trial]] = {arm: [] for arm in self.arms}
        self.lost = 0
        self.asked: dict[str, tuple[Any, dict[str, Any]]] = {}

    @property
    def untouched(self) -> list[str]:
        """Name the arms that no path of the space reaches: they stay as they are written."""
        arms = dict.fromkeys(variant.arm for variant in written(self.suite))
        return [arm for arm in arms if arm not in self.arms]

    def _dials(self, arm: str) -> list[tuple[Dial, Any]]:
        """Give the dials that an arm has, each with the value that the arm is written with."""
        variants = [variant for variant in self.suite.variants if variant.arm == arm]
        dials = []
        for dial in self.search.dials:
            values = [value for variant in variants for value in setting(variant, dial.path)]
            if not values:
                continue
            if not dial.holds(values[0]):
                raise SelectionError(
                    f"arm {arm!r} has {values[0]!r} at {dial.path}, which its search space does "
                    "not hold; trial 0 is the suite as it is written, so widen the space"
                )
            dials.append((dial, values[0]))
        return dials

    def ask(self) -> Suite:
        """Give the next trial of every arm as one suite of runs, on held-out training rows."""
        for arm, dials in self.arms.items():
            study, as_written = self.studies[arm], {dial.path: written for dial, written in dials}
            if not self.trials[arm]:
                study.enqueue_trial({dial.path: place(dial, value) for dial, value in dials})
            trial = study.ask()
            values = {dial.path: suggested(trial, dial) for dial, _ in dials}
            self.asked[arm] = trial, values if self.trials[arm] else as_written
        suite = self.reread({arm: values for arm, (_, values) in self.asked.items()})
        moved = tuple(
            self._held_out(variant) for variant in written(suite) if variant.arm in self.arms
        )
        return replace(
            suite,
            variants=moved,
            seeds=self.search.seeds,
            contrasts=(),
            effects=(),
            twins=(),
            references=(),
            looks=(),
        )

    def _held_out(self, variant: Variant) -> Variant:
        """Give a variant on rows that are held out: ours of ours, a program's as it has been told.

        Its seeds are of the search alone.
        """
        moved = replace(variant, first_seed=self.first, named_seeds=())
        if variant.outside:
            return with_params(moved, self.search.held_out)
        data = variant.choices["dataset"]
        settings = {"of": data, "rows": self.search.rows, "tasks": data.settings["tasks"]}
        carved = Choice("dataset", "held-out", {**settings, "class_order": "seeded"})
        return replace(moved, choices={**variant.choices, "dataset": carved})

    def tell(self, suite: Suite, records: Mapping[str, RunResult]) -> None:
        """Learn how the trials that were asked for have ended.

        A run that diverged or failed scores what the search says of lost ones; where that is
        nothing, its trial has no score. Raises SelectionError where a run is missing.
        """
        for arm, (trial, values) in self.asked.items():
            runs = [
                (records.get(specify(variant, seed, suite.precision).key), variant)
                for variant in suite.variants
                if variant.arm == arm
                for seed in range(suite.seeds)
            ]
            scores = [scored(record, variant, self.search) for record, variant in runs]
            self.lost += sum(record.status != Status.OK for record, _ in runs if record)
            score, spread = float(np.mean(scores)), float(np.std(scores, ddof=len(scores) > 1))
            _tell(self.studies[arm], trial, score)
            self.trials[arm].append(Trial(values, score, spread))

    def found(self, file: str) -> Tuned:
        """Give what the trials so far have found."""
        search = self.search
        arms = {}
        for arm, trials in self.trials.items():
            scores = tuple(trial.score for trial in trials)
            spreads = tuple(trial.spread for trial in trials)
            result = TunedArm({}, scores, spreads, lower=search.lower)
            arms[arm] = replace(result, values=trials[result.best].values, first=trials[0].values)
        done = min(map(len, self.trials.values()), default=0)
        known = [variant.choices.get("dataset") for variant in self.suite.variants]
        return Tuned(
            file=file,
            data=", ".join(sorted({data.name for data in known if data})),
            trials=done,
            seeds=search.seeds,
            metric=search.metric,
            rows=search.rows,
            arms=arms,
            changes=self.suite.changes,
            lower=search.lower,
            held_out=search.held_out,
        )

    def write(self, path: Path) -> None:
        """Write the tuned values with their budget and trials, for the suite to name."""
        tuned = self.found(path.name)
        arms = {
            arm: {
                "values": dict(result.values),
                "best_of": [
                    _told(result.expected_best(n), tuned) for n in range(1, tuned.trials + 1)
                ],
                "trials": [
                    {"score": null(t.score), "spread": null(t.spread), "values": dict(t.values)}
                    for t in self.trials[arm]
                ],
            }
            for arm, result in tuned.arms.items()
        }
        budget = {
            **({"data": tuned.data} if tuned.data else {}),
            "trials": tuned.trials,
            "seeds": tuned.seeds,
            "metric": tuned.metric,
        }
        of_program = {"better": "lower" if tuned.lower else "higher", "held_out": tuned.held_out}
        scoring = {"rows": tuned.rows} if tuned.rows else of_program
        whole = {**budget, **scoring, "changes": list(tuned.changes), "arms": arms}
        text = yaml.safe_dump(whole, sort_keys=False, width=100)
        tuned_file.write(path, self.suite.name, text)


def written(suite: Suite) -> tuple[Variant, ...]:
    """Give a suite's arms in all cells, without A/A twins."""
    return suite.variants[: len(suite.variants) - len(suite.twins)]


def scored(record: RunResult | None, variant: Variant, search: Search) -> float:
    """Give a run's score in the metric's unit; of one that is lost what the search says."""
    if record is None:
        raise SelectionError(f"a trial of arm {variant.arm!r} has no record: run it first")
    if record.status != Status.OK:
        return search.lost
    value = metrics.value(record, search.metric, own(variant))
    return value if math.isfinite(value) else search.lost


def null(value: float) -> float | None:
    """Write a score that there is none of as YAML has it."""
    return None if math.isnan(value) else value


def _told(value: float, tuned: Tuned) -> float | None:
    """Round what is only told: points to three decimals, other units to six digits."""
    return null(round(value, 3) if tuned.rows else float(f"{value:.6g}"))


def place(dial: Dial, value: Any) -> Any:
    """Give what a sampler calls a value: a number itself, of several values its place."""
    return dial.choices.index(value) if dial.choices else value


def suggested(trial: Any, dial: Dial) -> Any:
    """Let a trial choose a dial's value."""
    if dial.choices:  # by their places: a sampler knows no lists, and takes 1 for true
        return dial.choices[trial.suggest_categorical(dial.path, range(len(dial.choices)))]
    if dial.whole:
        return trial.suggest_int(dial.path, int(dial.low), int(dial.high), log=dial.log)
    value = trial.suggest_float(dial.path, dial.low, dial.high, log=dial.log)
    return min(max(float(f"{value:.{DIGITS}g}"), dial.low), dial.high)


def first_seed(suite: Suite, seeds: int, facts: Mapping[str, Facts], catalogue: Catalogue) -> int:
    """Give the first of some seeds whose class orders the suite's own runs do not have."""
    used: dict[int, set[tuple[int, ...]]] = {}
    for variant in suite.variants:
        if variant.outside:
            continue
        choice = variant.choices["dataset"]
        classes = facts[canonical(choice.plain())].classes
        kind = catalogue.build(choice).class_order
        orders = used.setdefault(classes, set())
        for seed in range(suite.seeds):
            orders.add(_order(variant.seed(seed), classes, kind))
    start = TUNE_SEEDS
    for seed in range(TUNE_SEEDS, TUNE_SEEDS + 100_000):
        if any(_order(seed, classes, "seeded") in orders for classes, orders in used.items()):
            start = seed + 1
        elif seed - start == seeds - 1:
            return start
    raise SelectionError("so few classes that the suite's own runs have every order of them")


def _order(seed: int, classes: int, kind: str) -> tuple[int, ...]:
    return tuple(batch_tables.class_order(seed, classes, kind).tolist())


def _tell(study: Any, trial: Any, score: float) -> None:
    """Tell a search what a trial scored; one without a score is among its worst."""
    if math.isnan(score):
        from optuna.trial import TrialState

        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, score)


def _study(*, lower: bool) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise SelectionError("tuning takes Optuna: pip install 'ablate-study[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        direction="minimize" if lower else "maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        study_name="tune",
    )
