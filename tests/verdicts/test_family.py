"""A family over its looks: what is read when, and what stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ablate import flow
from ablate.errors import SelectionError, SuiteError
from ablate.records import registration
from ablate.records.store import open_store
from ablate.registry import scan
from ablate.types import Comparison, Design, LostPair, Site, Suite, Verdict
from ablate.verdicts import futility
from ablate.verdicts.family import conclude, first
from tests.conftest import TINY, comparison

EARLY = [5.0, 5.2, 4.9, 5.1, 4.8]
LOOKS = (5, 8, 12)


def judged(
    *deltas: Sequence[float] | Comparison, looks: tuple[int, ...] = LOOKS, seeds: int = 0
) -> list[Verdict]:
    """Judge differences at a margin of one."""
    catalogue = scan()
    tests = {name: catalogue.load("test", name)() for name in catalogue.names("test")}
    made = [one if isinstance(one, Comparison) else comparison(one) for one in deltas]
    return conclude(made, tests, Design(0.05, "holm", looks, seeds or looks[-1]))


def test_a_contrast_keeps_the_look_that_decided_it() -> None:
    """What comes later changes neither verdict nor interval."""
    (found,) = judged([*EARLY, -90.0, 80.0, -70.0, 60.0, 0.0, 0.0, 0.0])
    assert (found.decision, found.n, found.rule) == ("MATTERS", 5, "repeated t")
    assert found.low > 1


def test_looking_costs() -> None:
    """What Student's t decides at one look needs more with three."""
    deltas = [1.0, 3.4, 2.2, 1.6, 2.9]
    assert judged(deltas, looks=(5,))[0].decision == "MATTERS"
    assert judged(deltas, looks=(5, 8, 12), seeds=5)[0].decision == "INCONCLUSIVE"


def test_one_look_gives_the_fixed_intervals() -> None:
    """Those of the paired t and of TOST."""
    deltas = list(np.random.default_rng(1).normal(0.6, 1, 12))
    (found,) = judged(deltas, looks=(12,))
    assert (found.decision, found.confidence) == ("INCONCLUSIVE", 0.95)
    assert (found.low, found.high) == pytest.approx(
        (found.tests["paired-t"].low, found.tests["paired-t"].high)
    )
    assert found.inner == pytest.approx(
        (found.tests["equivalence"].low, found.tests["equivalence"].high)
    )
    assert found.p == pytest.approx(
        min(found.tests[name].p for name in ("minimal-effect", "equivalence"))
    )


def test_seeds_beyond_the_plan_are_read_by_the_mixture() -> None:
    """Fewer as well, where no look was reached."""
    deltas = list(np.random.default_rng(2).normal(1.0, 1, 20))
    (found,) = judged(deltas, looks=(5, 8, 12), seeds=20)
    assert found.rule == "t-mixture"
    assert judged([*EARLY, 5.0, 5.1], looks=(20,), seeds=7)[0].rule == "t-mixture"
    # a look that was declared and decided stays what it was
    assert judged(EARLY + deltas, looks=(5, 8, 12), seeds=25)[0].rule == "repeated t"


def test_seeds_not_yet_run_are_waited_for() -> None:
    """The last full look counts, and the next is named."""
    lost = tuple(LostPair(seed, "a: not run", (), missing=True) for seed in range(6, 12))
    made = replace(comparison([0.0, 2.2, -1.8, 1.4, 0.7, 1.0]), lost=lost)
    (found,) = judged(made)
    assert (found.decision, found.n) == ("INCONCLUSIVE", 5)
    assert found.why.endswith("the next look is at 8 seeds")


def test_lost_pairs_cost_degrees_of_freedom_only() -> None:
    """A seed lost by both arms is no seed of the look."""
    lost = (LostPair(5, "both", ("a", "b")),)
    made = comparison([*EARLY, 5.1, 5.0])
    made = replace(made, seeds=(0, 1, 2, 3, 4, 6, 7), lost=lost)
    assert first(made, 6).seeds == (0, 1, 2, 3, 4)
    assert judged(made, looks=(8,))[0].n == 7


def test_the_undecided_stay_in_the_family() -> None:
    """One that is decided at the first look does not make it easier for the rest than Holm does."""
    open_one = list(np.random.default_rng(4).normal(0.9, 1, 12))
    both = judged(EARLY + [5.0] * 7, open_one)
    assert [one.decision for one in both] == ["MATTERS", "INCONCLUSIVE"]
    assert both[0].n == 5
    assert both[0].p_adjusted == pytest.approx(2 * both[0].p)


@given(st.permutations(range(12)))
@settings(max_examples=20, deadline=None)
def test_at_one_look_the_order_of_seeds_changes_nothing(order: list[int]) -> None:
    """With several it does: another seed stands at each look."""
    deltas = np.random.default_rng(5).normal(0.5, 1, 12)
    a, b = (judged(list(map(float, some)), looks=(12,))[0] for some in (deltas, deltas[order]))
    assert (a.decision, a.p, a.low) == (b.decision, pytest.approx(b.p), pytest.approx(b.low))


@given(st.lists(st.floats(-50, 50), min_size=12, max_size=12))
@settings(max_examples=30, deadline=None)
def test_negating_mirrors_every_look(deltas: list[float]) -> None:
    """The same decision at the same look, the interval on the other side."""
    a, b = judged(deltas)[0], judged([-delta for delta in deltas])[0]
    assert (a.decision, a.n) == (b.decision, b.n)
    assert (a.low, a.high) == pytest.approx((-b.high, -b.low), abs=1e-9)


# --- suites with looks ---------------------------------------------------------------------------

LOOKING = TINY.replace("seeds: 3", "seeds: 8\nlooks: [5, 6, 8]")


def by_look(suite: Suite, folder: Path) -> tuple[flow.Study, list[int]]:
    """Run until decided; gives the study and how many runs each look took."""
    store, counts = open_store(folder), []
    registration.freeze(suite, store, 0)
    for work in flow.by_look(suite, Path("data"), store):
        counts.append(sum(len(stack.runs) for stack in work.stacks))
        for _ in flow.run(work, store, Site("data", "cpu")):
            pass
    study = flow.analyse(suite, store)
    store.close()
    return study, counts


def test_seeds_are_added_until_it_is_decided(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """A wide margin is decided at the first look, and no run is spent after it."""
    study, counts = by_look(
        suite_of(("2.0 points", "90.0 points"), text=LOOKING), tmp_path / "results"
    )
    assert counts == [10]
    assert (study.verdicts[0].decision, study.verdicts[0].n) == ("NEGLIGIBLE", 5)
    again, more = by_look(study.suite, tmp_path / "results")
    assert more == []
    assert repr(again.verdicts) == repr(study.verdicts)


def test_an_open_contrast_spends_its_seeds_and_no_more(
    suite_of: Callable[..., Suite], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight of each arm; the same verdict as in one go. No seed is spared for futility here."""
    monkeypatch.setattr(futility, "SLIM", 0.0)
    suite = suite_of(("2.0 points", "14.0 points"), text=LOOKING)
    study, counts = by_look(suite, tmp_path / "results")
    assert counts == [10, 2, 4]
    assert study.verdicts[0].decision == "INCONCLUSIVE"


@pytest.mark.parametrize(
    "looks", ["[5, 6]", "[4, 8]", "[8, 5]", "[5, 5, 8]", "5", "[5, eight]", "[5.0, 8]", "[]"]
)
def test_looks_that_make_no_sense_are_refused(looks: str, suite_of: Callable[..., Suite]) -> None:
    """At their place."""
    with pytest.raises(SuiteError, match="looks"):
        suite_of(("[5, 6, 8]", looks), text=LOOKING)


def test_a_suite_without_looks_gets_the_usual_ones(suite_of: Callable[..., Suite]) -> None:
    """Up to its seeds; too few cannot be looked at."""
    assert flow.with_looks(suite_of(("seeds: 3", "seeds: 20"))).looks == (5, 8, 13, 20)
    assert flow.with_looks(suite_of(("seeds: 3", "seeds: 5"))).looks == (5,)
    with pytest.raises(SelectionError, match="3 seeds decide nothing"):
        flow.with_looks(suite_of())
    with pytest.raises(SelectionError, match="no --seeds"):
        flow.with_looks(replace(suite_of(), seeds=9))


# --- registration --------------------------------------------------------------------------------


def test_what_is_changed_after_the_first_run_is_a_deviation(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Margin, alpha, looks, claims: each in a line; the looks that count stay those registered."""
    store = open_store(tmp_path)
    first_one = suite_of(text=LOOKING)
    registration.freeze(first_one, store, 0)
    entry = registration.registered(first_one, store)
    assert list(registration.deviations(first_one, entry)) == []
    changed = suite_of(
        ("2.0 points", "1.0 points"),
        ("seeds: 8\nlooks: [5, 6, 8]", "seeds: 30\nalpha: 0.1"),
        text=LOOKING,
    )
    registration.freeze(changed, store, 16)  # too late: the first one stands
    said = list(registration.deviations(changed, registration.registered(changed, store)))
    assert said == [
        "alpha: registered 0.05, now 0.1.",
        "seeds: registered 8, now 30.",
        "margin of reptile − balanced, all-classes: registered 2, now 1.",
    ]
    assert registration.as_registered(changed, entry).looks == (5, 6, 8)


def test_a_late_or_missing_registration_is_said(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """A claim that was dropped, too."""
    suite, store = suite_of(), open_store(tmp_path)
    assert list(registration.deviations(suite, None)) == [
        "This study was not registered before its runs."
    ]
    registration.freeze(suite, store, 4)
    entry = registration.registered(suite, store)
    said = list(registration.deviations(replace(suite, contrasts=()), entry))
    assert said == [
        "It was registered when 4 of its runs were already there.",
        "contrasts: reptile − balanced, all-classes was registered and is gone.",
    ]


def test_changed_claims_are_judged_as_they_were_registered_too(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """A margin widened after the data does not hide what the first one gave."""
    from reports import write

    changed = suite_of(("2.0 points", "30.0 points"), ("seeds: 3", "seeds: 6"))
    changed = replace(changed, alpha=0.1)
    first_one = suite_of(("seeds: 3", "seeds: 6"))
    store = open_store(tmp_path)
    registration.freeze(first_one, store, 0)
    entry = registration.registered(first_one, store)
    assert registration.original(first_one, entry) is None
    assert registration.original(first_one, None) is None
    then = registration.original(changed, entry)
    assert then is not None
    assert [one.margin for one in then.contrasts] == [2.0]
    work = flow.prepare(changed, tmp_path, store)
    list(flow.run(work, store, Site(str(tmp_path), "cpu")))
    study = flow.analyse(changed, store)
    assert study.verdicts[0].comparison.margin == 30
    assert [one.comparison.margin for one in study.registered] == [2.0]
    assert study.registered_alpha == 0.05  # by which the figures of its rows are rounded
    text = write.text(study)
    assert "## As registered" in text
    assert "**Deviation from the registration:** margin of" in text


def test_a_study_can_be_registered_anew(suite_of: Callable[..., Suite], tmp_path: Path) -> None:
    """The earlier registration is named, and so are the runs that were already there."""
    store = open_store(tmp_path)
    registration.freeze(suite_of(), store, 0)
    changed = suite_of(("2.0 points", "1.0 points"))
    registration.freeze(changed, store, 6, anew=True)
    said = list(registration.deviations(changed, registration.registered(changed, store)))
    assert len(said) == 2
    assert "registered anew; an earlier registration is of" in said[0]
    assert "6 of its runs were already there" in said[1]
