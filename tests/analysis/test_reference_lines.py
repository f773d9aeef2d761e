"""Arms at a floor or at the ceiling: what has learnt nothing is untestable, the rest is marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ablate import flow
from ablate.analysis import chance, judge, reference_lines
from ablate.analysis.chance import Lines
from ablate.analysis.reference_lines import CEILING, NEWEST
from ablate.records.store import open_store
from ablate.types import (
    Choice,
    Contrast,
    FactorialEffect,
    PooledContrast,
    RunResult,
    Suite,
    Variant,
    Verdict,
)
from reports import answers, arm_figures, figures, floors as told, verify, write
from tests.conftest import TINY, record, variant

TASKS, ROWS, SEEDS = 5, 200, 10
"""Five tasks of two classes, 200 test rows a task, ten seeds."""


def run(
    seed: int,
    accuracy: float,
    within: float,
    class_rows: Sequence[int] = (ROWS // 2,) * 10,
    protocols: Sequence[str] = ("all-classes",),
) -> RunResult:
    """Make a run of an accuracy over all test rows and one inside its tasks, in points."""
    rows = [class_rows[2 * t] + class_rows[2 * t + 1] for t in range(TASKS)]
    right = [[round(accuracy / 100 * n) for n in rows] for _ in rows]
    inside = [[round(accuracy / within * n) for n in rows] for _ in rows]
    made = record(seed, right, inside, class_rows=list(class_rows))
    return replace(
        made,
        rows=rows,
        right=dict.fromkeys(protocols, right),
        task_right=dict.fromkeys(protocols, inside),
    )


def scores(mean: float, spread: float = 1.0, seed: int = 0, n: int = SEEDS) -> list[float]:
    """Give scores whose mean and standard deviation are exactly those."""
    drawn = np.random.default_rng(seed).normal(size=n)
    return list(mean + spread * (drawn - drawn.mean()) / drawn.std(ddof=1))


def arm(
    mean: float, within: float = 90.0, seed: int = 0, spread: float = 1.0, **more: object
) -> dict[int, RunResult]:
    return {i: run(i, score, within, **more) for i, score in enumerate(scores(mean, spread, seed))}  # type: ignore[arg-type]


def suite_of_arms(
    variants: Sequence[Variant], metric: str = "all-classes", margin: float = 2.0, **more: object
) -> Suite:
    contrast = Contrast(1, 0, metric, margin)
    made = Suite(
        "s", "s.yaml", "", "q", tuple(variants), SEEDS, SEEDS, (contrast,), 0.05, "holm", "float64"
    )
    return replace(made, **more)  # type: ignore[arg-type]


def judged(
    runs: Sequence[Mapping[int, RunResult]],
    names: Sequence[str] = ("a", "b", "c", "d", "e"),
    **more: object,
) -> Verdict:
    suite = suite_of_arms([variant(name) for name in names[: len(runs)]], **more)  # type: ignore[arg-type]
    return judge.judge(suite, judge.claims(suite, tuple(runs)))[0]


@pytest.mark.parametrize("apart", [0.0, 0.3, 8.0])
def test_arms_at_chance_are_untestable_whatever_their_difference(apart: float) -> None:
    """Two untrained nets at 10.53 % were NEGLIGIBLE, p < 0.001; worse than chance is no finding."""
    verdict = judged([arm(10.0, 50.0), arm(10.0 - apart, 50.0, seed=1)])
    assert verdict.decision == "UNTESTABLE"
    assert "nothing has been learnt" in verdict.why
    assert "10.0 %" in verdict.why
    assert math.isnan(verdict.p)


def test_identical_untrained_arms_are_untestable_too() -> None:
    """Neither INERT nor NEGLIGIBLE."""
    same = arm(10.0, 50.0)
    verdict = judged([same, same])
    assert (verdict.decision, verdict.flags) == ("UNTESTABLE", ())


def test_an_arm_that_learnt_against_one_at_chance_is_a_finding() -> None:
    assert judged([arm(10.0, 50.0), arm(60.0)]).decision == "MATTERS"
    assert judged([arm(60.0), arm(10.0, 50.0)]).decision == "MATTERS"


def test_an_arm_that_learnt_inside_its_tasks_alone_is_tested() -> None:
    """At chance over all classes, at 90 % within its own tasks."""
    assert judged([arm(10.0, 90.0), arm(10.0, 50.0, seed=1)]).decision == "NEGLIGIBLE"


def test_the_majority_class_is_the_floor_where_classes_are_uneven() -> None:
    """A net that says the largest class alone has 40 % and has learnt nothing."""
    uneven = (800, 200, 100, 100, 100, 100, 100, 100, 200, 200)
    always = [arm(40.0, 79.5, seed=s, class_rows=uneven) for s in (0, 1)]
    assert judged(always).decision == "UNTESTABLE"
    assert judged([arm(45.0, 80.0, class_rows=uneven), always[1]]).decision != "UNTESTABLE"


def test_records_without_class_rows_are_judged_as_before() -> None:
    runs = [arm(10.0, 50.0), arm(10.0, 50.0, seed=1)]
    bare = [
        {
            s: replace(r, provenance={k: v for k, v in r.provenance.items() if k != "class_rows"})
            for s, r in mine.items()
        }
        for mine in runs
    ]
    assert judged(bare).decision == "NEGLIGIBLE"


def test_under_five_pairs_nothing_is_said_of_learning() -> None:
    few = [{s: r for s, r in arm(10.0, 50.0, seed=i).items() if s < 4} for i in (0, 1)]
    assert judged(few, seeds=4, declared_seeds=4).decision == "INCONCLUSIVE"


def test_a_look_uses_its_own_seeds_alone() -> None:
    """Learning that shows in later seeds does not reach back, and no learning later neither."""
    late = {s: run(s, 10.0 if s < 5 else 60.0, 50.0 if s < 5 else 90.0) for s in range(10)}
    rest = arm(10.0, 50.0)
    suite = suite_of_arms([variant("a"), variant("b")], looks=(5, 10))
    (claim,) = judge.claims(suite, (rest, late))
    assert claim.standing[5].nothing_learnt
    assert 10 not in claim.standing
    early = [{s: r for s, r in mine.items() if s < 5} for mine in (rest, late)]
    (then,) = judge.claims(replace(suite, seeds=5), tuple(early))
    assert repr(then.standing[5]) == repr(claim.standing[5])


@pytest.mark.parametrize("correction", ["holm", "none"])
def test_untrained_claims_count_in_the_family(correction: str) -> None:
    """As every untestable one does: the others' p is that of two claims."""
    suite = suite_of_arms([variant(n) for n in "abc"], correction=correction)
    suite = replace(
        suite, contrasts=(Contrast(1, 0, "all-classes", 2.0), Contrast(2, 0, "all-classes", 2.0))
    )
    dead, alive = judge.judge(
        suite, judge.claims(suite, (arm(10, 50.0), arm(10, 50.0, 1), arm(60.0)))
    )
    assert (dead.decision, alive.decision) == ("UNTESTABLE", "MATTERS")
    assert alive.p_adjusted == pytest.approx(alive.p * (2 if correction == "holm" else 1))


def test_arms_at_the_newest_task_keep_their_verdict_and_are_marked() -> None:
    """Line 20, without `joint` the limit is 30: the upper ends decide, not the means."""
    verdict = judged([arm(21.0), arm(21.5, seed=1)])
    assert verdict.decision == "NEGLIGIBLE"
    assert verdict.flags == (NEWEST,)
    assert verdict.comparison.stands.line == pytest.approx(20.0)
    assert judged([arm(21.0), arm(29.8, seed=1)]).flags == ()
    assert judged([arm(21.0), arm(29.0, seed=1, spread=4.0)]).flags == ()


def test_the_way_to_joint_sets_the_limit_where_joint_was_run() -> None:
    """Joint at 60: a quarter of the way from 20 is 30; at 99 nearly 40; in its own cell only."""
    joint = replace(
        variant("joint"), choices={**variant("j").choices, "method": Choice("method", "joint", {})}
    )
    arms = [variant("a"), variant("b"), joint]
    low, high = arm(34.0), arm(34.5, seed=1)

    def flags(variants: Sequence[Variant], level: float) -> tuple[str, ...]:
        suite = suite_of_arms(variants)
        return judge.judge(suite, judge.claims(suite, (low, high, arm(level))))[0].flags

    assert flags(arms, 99.0) == (NEWEST,)
    assert flags(arms, 60.0) == ()
    assert flags([*arms[:2], replace(joint, cell={"x": "2"})], 99.0) == ()


def test_joint_of_other_code_sets_no_limit() -> None:
    """Its records do not go together with those of the arms: they stand as if it had not run."""
    joint = replace(
        variant("joint"), choices={**variant("j").choices, "method": Choice("method", "joint", {})}
    )
    suite = suite_of_arms([variant("a"), variant("b"), joint])
    upper = {
        seed: replace(one, provenance={**one.provenance, "engine": "another"})
        for seed, one in arm(99.0).items()
    }
    runs = arm(34.0), arm(34.5, seed=1), upper
    assert judge.judge(suite, judge.claims(suite, runs))[0].flags == ()


@pytest.mark.parametrize("tasks", [2, 3, 5, 10])
@pytest.mark.parametrize("share", [0.0, 0.6, 0.9])
def test_an_arm_far_above_the_newest_task_is_never_said_to_keep_it_alone(
    tasks: int, share: float
) -> None:
    """Whatever the newest task's share of the rows: no joint is above 100.

    share: the newest task's rows of all; 0 for tasks of one size.
    """
    newest = round(share * 2000) or 2000 // tasks
    rows = [2 * ((2000 - newest) // (tasks - 1) // 2)] * (tasks - 1) + [newest]
    classes = [n // 2 for n in rows for _ in range(2)]
    line = 100 * newest / sum(rows)

    def at(level: float, seed: int) -> dict[int, RunResult]:
        runs = {}
        for i, score in enumerate(scores(level, 0.5, seed)):
            right = [[round(score / 100 * n) for n in rows] for _ in rows]
            made = record(i, right, right, class_rows=classes)
            runs[i] = replace(
                made, rows=rows, right={"all-classes": right}, task_right={"all-classes": right}
            )
        return runs

    high, low = line + 0.4 * (100 - line), line + 0.01 * (100 - line)
    assert NEWEST not in judged([at(high, 0), at(high, 1)]).flags
    assert NEWEST in judged([at(low, 0), at(low, 1)]).flags


def test_the_best_arm_stands_in_for_joint() -> None:
    """It asks for no less than joint would: arms at 34 beside one at 95, and beside one at 40."""
    low, high = arm(34.0), arm(34.5, seed=1)
    assert judged([low, high, arm(95.0, 99.0, seed=2)]).flags == (NEWEST,)
    assert judged([low, high, arm(40.0, seed=2)]).flags == ()


def test_a_told_task_has_no_newest_line_and_a_chance_of_its_own() -> None:
    known = Variant("k", {}, {"predict": Choice("predict", "known-task", {})})
    label = "known-task"

    def at(level: float, seed: int) -> dict[int, RunResult]:
        return arm(level, level, seed, protocols=[label])

    suite = suite_of_arms([known, replace(known, arm="l")], metric=label)
    (dead,) = judge.judge(suite, judge.claims(suite, (at(50.0, 0), at(50.0, 1))))
    assert dead.decision == "UNTESTABLE"
    assert "50.0 %" in dead.why
    (alive,) = judge.judge(suite, judge.claims(suite, (at(70.0, 0), at(70.0, 1))))
    assert (alive.decision, alive.flags) == ("NEGLIGIBLE", ())


@pytest.mark.parametrize("metric", ["forgetting", "backward-transfer"])
def test_metrics_without_a_floor_still_need_arms_that_learnt(metric: str) -> None:
    """Their own zero is no floor; an arm's accuracy is."""
    assert (
        judged([arm(10.0, 50.0), arm(10.0, 50.0, seed=1)], metric=metric).decision == "UNTESTABLE"
    )
    verdict = judged([arm(21.0), arm(21.5, seed=1)], metric=metric)
    assert NEWEST not in verdict.flags


def test_arms_at_the_ceiling_are_marked() -> None:
    verdict = judged([arm(98.5, 99.0, spread=0.2), arm(99.0, 99.5, seed=1, spread=0.2)])
    assert (verdict.decision, verdict.flags) == ("NEGLIGIBLE", (CEILING,))
    apart = judged([arm(97.0, 99.0, spread=0.2), arm(99.0, 99.5, seed=1)])
    assert CEILING not in apart.flags


def test_effects_and_pooled_contrasts_stand_where_all_their_arms_stand() -> None:
    """An effect at one level of another factor is at the floor; the main effect, with both, not."""
    runs = (arm(21.0), arm(21.3, seed=1), arm(80.0, seed=2), arm(80.5, seed=3))
    at_floor = FactorialEffect((("a",),), "x", "y", (1,), (0,), "all-classes", 2.0, ("b", "1"))
    main = FactorialEffect((("a",),), "x", "y", (1, 3), (0, 2), "all-classes", 2.0)
    pooled = PooledContrast("b", "a", (1, 1), (0, 0), ("c",), "all-classes", 2.0)
    suite = suite_of_arms(
        [variant(n) for n in "abcd"], contrasts=(), effects=(at_floor, main, pooled)
    )
    flags = [v.flags for v in judge.judge(suite, judge.claims(suite, runs))]
    assert flags == [(NEWEST,), (), (NEWEST,)]
    dead = (arm(10, 50.0), arm(10, 50.0, 1), arm(80.0, seed=2), arm(80.5, seed=3))
    decisions = [v.decision for v in judge.judge(suite, judge.claims(suite, dead))]
    assert decisions == ["UNTESTABLE", "NEGLIGIBLE", "UNTESTABLE"]


def test_chance_alone_passes_for_learning_at_the_declared_rate() -> None:
    """Of 400 pairs of untrained arms, at most alpha and its error are tested."""
    rng = np.random.default_rng(5)
    tested = 0
    for _ in range(400):
        gaps = rng.normal(0, 3, size=(4, 6))
        tested += any(reference_lines.above(list(row), 0.05 / 4, 0.1) for row in gaps)
    assert tested <= 400 * 0.05 + 3 * math.sqrt(400 * 0.05 * 0.95)


def test_lines_follow_the_tasks_seen() -> None:
    """By hand: after 2 of 5 even tasks chance is 1 / 4 and the newest task half of the rows."""
    made = run(0, 50.0, 90.0)
    assert chance.lines(made, seen=2) == Lines(25.0, 25.0, 50.0)
    assert chance.lines(made) == Lines(10.0, 10.0, 20.0)
    uneven = run(0, 50.0, 90.0, class_rows=(60, 40, 10, 30, 10, 10, 10, 10, 5, 15))
    line = chance.lines(uneven, known=True)
    assert line
    assert line.majority == pytest.approx(100 * (60 + 30 + 10 + 10 + 15) / 200)
    assert math.isnan(line.newest)
    assert chance.newest_line(uneven, "average-accuracy") == 20.0
    assert math.isnan(chance.newest_line(uneven, "within-task"))


@pytest.fixture(scope="module")
def untrained(
    catalogue: object, tmp_path_factory: pytest.TempPathFactory
) -> tuple[flow.Study, Path]:
    """Run a suite whose learning rate moves nothing, and write its report."""
    from ablate.design.reader import parse_suite
    from ablate.types import Site

    text = TINY.replace("lr: 0.3", "lr: 1e-30").replace("seeds: 3", "seeds: 5")
    suite = parse_suite(text.encode(), "tiny", "tiny.yaml", catalogue)  # type: ignore[arg-type]
    results = tmp_path_factory.mktemp("untrained")
    store = open_store(results)
    for _ in flow.run(flow.prepare(suite, Path("data"), store), store, Site("data", "cpu")):
        pass
    study = flow.analyse(suite, store)
    store.close()
    return study, write.write(study, results / "tiny")


def test_a_suite_that_trains_nothing_says_so_on_the_first_screen(
    untrained: tuple[flow.Study, Path],
) -> None:
    """The answer, the table, the terminal; and the report verifies."""
    study, path = untrained
    assert study.verdicts[0].decision == "UNTESTABLE"
    text = path.read_text("utf-8")
    top = text[: text.index("\n> ")]
    assert "Cannot be told" in top
    assert "nothing has been learnt" in top
    assert "**Nothing has been learnt**" in top
    assert any("nothing has been learnt" in line for line in answers.told(study))
    assert "| chance | – | 10.00 |" in text
    assert "| newest task alone | – | 2" in text
    assert "class_rows" not in text
    store = open_store(path.parents[1], create=False)
    assert list(verify.verify(path, store)) == []
    store.close()


def test_the_qualifier_stands_next_to_the_answer(untrained: tuple[flow.Study, Path]) -> None:
    """In bold in the report, plain on the terminal, with the claims that it is about."""
    study, _ = untrained
    marked = judged([arm(21.0), arm(21.5, seed=1)])
    study = replace(study, verdicts=(marked,))
    (line,) = told.qualifiers(study)
    assert (
        "**A floor: all arms keep only the newest task; this says nothing of learners that" in line
    )
    assert "the newest task alone gives 20.0" in line
    lines = write.text(study).split("\n\n")
    assert lines[2] == line
    plain = [said for said in answers.told(study) if "all arms keep only the newest task" in said]
    assert len(plain) == 1
    assert "*" not in plain[0]


def test_curves_have_the_lines_that_cost_nothing(
    untrained: tuple[flow.Study, Path], suite_of: Callable[..., Suite]
) -> None:
    """By label, one value a task; none for the newest of one task."""
    study, _ = untrained
    lines = told.along(study, study.suite.variants[0])
    assert lines["chance"] == pytest.approx([50, 25, 100 / 6, 12.5, 10])
    newest = lines["newest task alone"]
    assert math.isnan(newest[0])
    assert newest[-1] == pytest.approx(20, abs=1)


def claim(estimate: float, half: float = 0.5, margin: float = 2.0) -> Verdict:
    made = judged([arm(50.0), arm(50.5, seed=1)])
    compared = replace(made.comparison, margin=margin)
    low, high = estimate - half, estimate + half
    return replace(made, comparison=compared, estimate=estimate, low=low, high=high)


def test_a_few_large_effects_have_a_panel_without_them() -> None:
    """One of 66 points pressed fourteen of one or two into a dot."""
    small = [claim(0.1 * i) for i in range(14)]
    assert figures.giants([claim(-66.1), *small]) == {0}
    assert figures.giants([*small, claim(40.0), claim(-66.1)]) == {14, 15}
    assert figures.giants(small) == set()
    assert figures.giants([claim(5.0), *small]) == set()
    assert figures.giants([claim(-66.1)]) == set()
    wide = claim(1.0, half=80.0)  # an interval that tells nothing is no large effect
    assert figures.giants([wide, *small]) == set()
    one_sided = replace(claim(1.0), low=-math.inf)
    assert figures.giants([one_sided, claim(-66.1), *small]) == {1}


def test_the_second_panel_ends_where_the_others_do(
    untrained: tuple[flow.Study, Path],
) -> None:
    """Both panels name the same claims; the zoomed one says that the large one lies outside."""
    study, _ = untrained
    effects = tuple(
        FactorialEffect(((f"e{i}",),), "h", "l", (0,), (1,), "all-classes", 2.0) for i in range(8)
    )
    found = (claim(-66.1), *(claim(0.2 * i) for i in range(7)))
    many = replace(
        study, suite=replace(study.suite, contrasts=(), effects=effects), verdicts=(), effects=found
    )
    with figures.canvas() as pyplot:
        drawn = figures.forest(many, pyplot)
        whole, near = drawn.axes
        assert whole.get_xlim()[0] < -60
        assert -4 < near.get_xlim()[0] < near.get_xlim()[1] < 4
        assert "−66.10" in " ".join(text.get_text() for text in near.texts)
        assert "without the largest" in near.get_title()
        pyplot.close(drawn)


def test_pictures_of_arms_show_the_lines_that_cost_nothing(
    untrained: tuple[flow.Study, Path],
) -> None:
    """In the curves and under the means, each named in the legend."""
    study, path = untrained
    with figures.canvas() as pyplot:
        for make in (figures.curves, arm_figures.means):
            drawn = make(study, pyplot)
            legends = [*drawn.legends, *(a.get_legend() for a in drawn.axes if a.get_legend())]
            names = {text.get_text() for legend in legends for text in legend.get_texts()}
            assert {"chance", "newest task alone"} <= names
            pyplot.close(drawn)
    assert "(arms.png)" in path.read_text("utf-8")
