"""Which runs are of which arm and seed, what forms no pair, and what is said of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ablate.errors import SelectionError
from ablate.plan.imported.chosen import Request, chosen, filtered
from ablate.plan.imported.sorting import Sorted, sort
from ablate.types import TrackedRun


def run(name: str, score: float | None = 0.5, lost: str = "", **params: Any) -> TrackedRun:
    """Give a run with one score at its step 3, and a worse one before."""
    curve = [] if score is None else [(1.0, score - 0.1), (3.0, score)]
    return TrackedRun(name, params, {"acc": curve} if curve else {}, lost)


def grid(**more: Any) -> list[TrackedRun]:
    """Give two arms of three seeds each."""
    return [
        run(f"{opt}{seed}", 0.5 + seed / 10, optimizer=opt, seed=seed, **more)
        for opt in ("sgd", "adam")
        for seed in range(3)
    ]


def read(runs: list[TrackedRun], request: Request | None = None) -> Sorted:
    """Sort runs by a request, or guesses."""
    request = request or Request()
    return sort(runs, chosen(runs, request), request)


def test_arms_seeds_and_the_metric_are_guessed_and_said() -> None:
    """What varies beside the seed is the arm; what is the same everywhere is not."""
    choice = chosen(grid(layers=3), Request())
    assert (choice.arm, choice.seed, choice.metrics) == (("optimizer",), "seed", ("acc",))
    assert len(choice.notes) == 3
    whole = read(grid(layers=3))
    assert [*whole.arms] == ["adam", "sgd"]
    assert whole.seeds == (0, 1, 2)
    assert whole.cells["sgd", ""][2].curves == {"acc": [(1.0, 0.6), (3.0, 0.7)]}


def test_what_follows_the_seed_or_differs_in_every_run_is_no_arm() -> None:
    """A seed of the data, a name, a folder, a score that a table holds beside settings."""
    runs = [
        TrackedRun(
            r.run,
            {**r.params, "data_seed": r.params["seed"] + 7, "note": r.run, "out_dir": "ab"[i % 2]},
            r.curves,
        )
        for i, r in enumerate(grid())
    ]
    choice = chosen(runs, Request())
    assert choice.arm == ("optimizer",)
    assert "'data_seed', 'note', 'out_dir'" in " ".join(choice.notes)


def test_of_two_parameters_that_vary_as_one_the_first_names_the_arm() -> None:
    """`lr` and `config.lr` say the same."""
    runs = [
        TrackedRun(
            r.run, {**r.params, "optim": {"sgd": 1, "adam": 2}[r.params["optimizer"]]}, r.curves
        )
        for r in grid()
    ]
    assert chosen(runs, Request()).arm == ("optimizer",)


def test_lost_runs_stay_with_their_reason() -> None:
    """Whatever the reason: crashed, without the metric, not finite, not there."""
    runs = [
        *grid(),
        run("a", lost="crashed", optimizer="adam", seed=3),
        run("b", None, optimizer="sgd", seed=3),
        run("c", math.nan, optimizer="adam", seed=4),
        run("d", -math.inf, optimizer="sgd", seed=4),
        run("e", optimizer="sgd", seed=5),
    ]
    whole = read(runs)
    adam, sgd = whole.cells["adam", ""], whole.cells["sgd", ""]
    assert (adam[3].lost, sgd[3].lost) == ("crashed", "no acc was logged")
    assert (adam[4].lost, adam[4].diverged) == ("acc is nan at step 3", True)
    assert (sgd[4].lost, sgd[4].diverged) == ("acc is -inf at step 3", True)
    assert 5 not in adam
    assert "without a pair: adam lacks 5." in " ".join(whole.notes)


def test_a_run_that_was_repeated_after_a_crash_counts() -> None:
    """And two that ended well with different scores are no run at all."""
    again = [*grid(), run("x", lost="killed", optimizer="sgd", seed=1)]
    whole = read(again)
    assert whole.cells["sgd", ""][1].run == "sgd1"
    assert "1 arms and seeds were run again" in " ".join(whole.notes)
    twin = read([*grid(), run("x", 0.6, optimizer="sgd", seed=1)])
    assert not twin.cells["sgd", ""][1].lost
    other = read([*grid(), run("x", 0.61, optimizer="sgd", seed=1)])
    assert "2 runs of one arm and seed ended well" in other.cells["sgd", ""][1].lost
    assert "which counts cannot be told" in " ".join(other.notes)


def test_runs_without_a_seed_form_no_pair_and_are_named() -> None:
    """All of them, or some."""
    whole = read([*grid(), run("x", optimizer="sgd")])
    assert [short.run for _, short in whole.without] == ["x"]
    assert "1 runs have no seed and form no pair: 'x'." in whole.notes
    bare = [TrackedRun(r.run, {"optimizer": r.params["optimizer"]}, r.curves) for r in grid()]
    none = read(bare)
    assert not none.paired
    assert len(none.without) == 6
    assert "independent ones (Welch)" in " ".join(none.notes)


def test_the_step_that_counts_is_the_last_the_best_or_a_number() -> None:
    """Of two values at one step the one logged later counts."""
    curve = [(2.0, 0.9), (1.0, 0.1), (3.0, 0.4), (3.0, 0.5)]
    runs = [
        TrackedRun(r.run, r.params, {"acc": curve, "loss": curve, "late": curve[:1]})
        for r in grid()
    ]

    def counted(step: str, metric: str = "acc") -> Any:
        whole = read(runs, Request(metrics=(metric,), step=step))
        short = whole.cells["adam", ""][0]
        return short.lost or short.curves[metric][-1]

    assert counted("last") == (3.0, 0.5)
    assert counted("best") == (2.0, 0.9)
    assert counted("best", "loss") == (1.0, 0.1)
    assert counted("1") == (1.0, 0.1)
    assert counted("7") == "no acc at step 7"
    assert "ORACLE" in " ".join(read(runs, Request(metrics=("acc",), step="best")).notes)


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    """A thousand points say what there is to see."""
    curve = [(float(i), i / 1e5) for i in range(12_345)]
    whole = read([TrackedRun(r.run, r.params, {"acc": curve}) for r in grid()])
    kept = whole.cells["sgd", ""][0].curves["acc"]
    assert len(kept) <= 1000
    assert kept[-1] == curve[-1]


def test_blocks_are_crossed_with_the_arms() -> None:
    """A pair is made inside each."""
    runs = [
        run(f"{data}{r.run}", 0.5, data=data, **r.params) for data in ("b", "a") for r in grid()
    ]
    whole = read(runs, Request(block="data"))
    assert [*whole.blocks] == ["a", "b"]
    assert {*whole.cells} == {(arm, block) for arm in ("adam", "sgd") for block in "ab"}


def test_what_cannot_be_guessed_is_asked_for() -> None:
    """Each with what there is."""
    with pytest.raises(SelectionError, match="--metric: 'acc', 'f1'"):
        chosen([TrackedRun("a", {}, {"acc": [(0, 1)], "f1": [(0, 1)]})], Request())
    with pytest.raises(SelectionError, match="no parameter varies; name it with --arm"):
        chosen([run(str(s), seed=s) for s in range(3)], Request())
    with pytest.raises(SelectionError, match=r"no parameter 'optimiser'.*'optimizer'"):
        chosen(grid(), Request(arm=("optimiser",)))
    with pytest.raises(SelectionError, match="nothing was logged"):
        chosen([run("a", None)], Request())
    with pytest.raises(SelectionError, match="all runs are of one arm"):
        read(grid(layers=3), Request(arm=("layers",)))


def test_conditions_choose_runs() -> None:
    """Numbers as numbers, names whatever their capitals."""
    left, notes = filtered(grid(lr=0.1), [("lr", "0.10"), ("Optimizer", "SGD")])
    assert [r.run for r in left] == ["sgd0", "sgd1", "sgd2"]
    assert notes[-1] == "Of 6 runs those 3 count whose optimizer is SGD."
    with pytest.raises(SelectionError, match="no run has optimizer = rms; there are 'sgd', 'adam'"):
        filtered(grid(), [("optimizer", "rms")])


def test_arms_of_strange_names_have_names_that_a_suite_can_hold() -> None:
    """Each its own."""
    names = ["<b>", "[b]", "x" * 90, "x" * 91, "", "é"]
    runs = [run(f"{n}{s}", arm=n, seed=s) for n in names for s in range(3)]
    whole = read(runs, Request(arm=("arm",)))
    assert len(whole.arms) == 6
    assert "é" in whole.arms
