"""Every setting that is declared takes effect where it says so, or the suite is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate import flow
from ablate.analysis import importance, judge
from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.registry import Catalogue
from ablate.types import Suite, cell_words
from reports import write
from tests.conftest import TINY

Parse = Callable[..., Suite]

BASE = TINY[: TINY.index("arms:")].replace("random:", "herding:")
KINDS = BASE + "arms:\n  herding: {}\n  random: {memory.*: random}\n"
APART = BASE + "arms:\n  herding: {}\n  random: {memory: {random: {budget_rows: 20}}}\n"
CLAIM = (
    "contrasts:\n"
    "  - {treatment: herding, baseline: random, metric: all-classes, margin: 2 points}\n"
)
SIZES = "vary: {memory.*.budget_rows: [20, 50]}\n"
SHARED = """
question: Which one?
base:
  dataset: {digits: {tasks: 5}}
  model: {mlp: {widths: [16]}}
  memory: {random: {budget_rows: 50}}
  optimizer: {sgd: {lr: 0.1}}
  training: {standard: {epochs: 1}}
  method: replay
"""
OWN = "{replay: {optimizer: {adam: {lr: 0.01}}}}"
FACTORIAL = """factorial:
  factors:
    kind: {herding: {}, random: {memory.*: random}}
    size: {small: {memory.*.budget_rows: 20}, large: {memory.*.budget_rows: 90}}
  metric: all-classes
  margin: 2 points
"""

PHANTOMS = {
    "an axis that one side of a contrast does not have": (
        APART + "vary: {memory.herding.budget_rows: [20, 50]}\n" + CLAIM,
        "reaches 'herding' and not 'random'",
    ),
    "the same, pooled over the axis": (
        APART
        + "vary: {memory.herding.budget_rows: [20, 50]}\n"
        + CLAIM.replace("2 points", "2 points, over: all"),
        "reaches 'herding' and not 'random'",
    ),
    "the other side": (
        APART
        + "vary: {memory.random.budget_rows: [20, 50]}\n".replace("random", "herding")
        + CLAIM.replace(
            "treatment: herding, baseline: random", "treatment: random, baseline: herding"
        ),
        "reaches 'herding' and not 'random'",
    ),
    "an axis of one value": (
        APART + "vary: {memory.herding.budget_rows: [20]}\n" + CLAIM,
        "reaches 'herding' and not 'random'",
    ),
    "two axes that share their values through an alias": (
        APART
        + "vary: {memory.herding.budget_rows: &n [1, 2], training.standard.epochs: *n}\n"
        + CLAIM,
        "'memory.herding.budget_rows' reaches 'herding' and not 'random'",
    ),
    "an axis over what one arm has of its own": (
        SHARED + f"arms:\n  herding: {{}}\n  random: {{method: {OWN}}}\n"
        "vary: {optimizer.sgd.lr: [0.1, 0.2]}\n" + CLAIM,
        "reaches 'herding' and not 'random'",
    ),
    "an axis over what every method has of its own": (
        SHARED.replace("method: replay", f"method: {OWN}") + "vary: {optimizer.sgd.lr: [1, 2]}\n",
        "reaches no arm; allowed: method.replay.optimizer.sgd.lr",
    ),
    "an axis that reaches part of a factorial": (
        BASE
        + FACTORIAL.replace("memory.*.budget_rows: 20", "method.meta.inner_steps: 2").replace(
            "memory.*.budget_rows: 90", "method.meta.inner_steps: 3"
        )
        + "vary: {memory.herding.budget_rows: [3, 4]}\n",
        "reaches some arms of the factorial and not others",
    ),
    "a pool over an axis that reaches neither": (
        APART.replace("arms:", "arms:\n  first: {memory: {first: {budget_rows: 9}}}")
        + "vary: {memory.herding.budget_rows: [3, 4]}\n"
        + CLAIM.replace("treatment: herding", "treatment: first").replace(
            "2 points", "2 points, over: memory.herding.budget_rows"
        ),
        "for over; allowed: all, or axes of vary that reach both arms",
    ),
    "an arm's path behind what its method has of its own": (
        SHARED + f"arms:\n  random: {{}}\n  herding: {{method: {OWN}, optimizer.sgd.lr: 1}}\n",
        "'optimizer.sgd.lr' takes no effect: method 'replay' says its own optimizer",
    ),
    "an arm's whole component behind its method's own": (
        SHARED
        + f"arms:\n  random: {{}}\n  herding: {{method: {OWN}, optimizer: {{sgd: {{lr: 1}}}}}}\n",
        "'optimizer' takes no effect",
    ),
    "what a method does not read, with a fault in it": (
        SHARED.replace("method: replay", "method: la-maml").replace("lr: 0.1", "lrr: 0.1"),
        "sgd has no 'lrr'",
    ),
    "what a method has no place for": (
        SHARED + "arms:\n  random: {}\n  herding: {memory.*: herding, update: balanced}\n",
        "'update' takes no effect: method 'replay' has no update",
    ),
    "an arm's path in one cell of an axis": (
        SHARED + f"arms:\n  herding: {{}}\n  random: {{optimizer: {{sgd: {{lr: 1}}}}}}\n"
        f"vary: {{method: {{shared: replay, of its own: {OWN}}}}}\n",
        "'optimizer' takes no effect at method = of its own",
    ),
    "a factor's level": (
        BASE + FACTORIAL.replace("budget_rows: 90", "budget_rows: 90, optimizer: {sgd: {lr: 1}}"),
        "'optimizer' takes no effect",
    ),
    "a quick block over what every arm sets": (
        BASE + "arms:\n  a: {memory.herding.budget_rows: 5}\n  b: {memory: none}\n"
        "quick: {memory.herding.budget_rows: 9}\n",
        "'memory.herding.budget_rows' takes no effect",
    ),
    "a quick block over what an axis sets": (
        KINDS + SIZES + "quick: {memory.herding.budget_rows: 9}\n",
        "'memory.herding.budget_rows' takes no effect",
    ),
    "what an arm writes and an axis of any component sets": (
        APART + SIZES + CLAIM,
        "arm 'random' sets 'memory', which vary sets too",
    ),
    "a base's component that its preset renames": (
        BASE.replace("base:", "base:\n  preset: itaml"),
        "memory: herding, which the base's preset makes random",
    ),
}


@pytest.mark.parametrize("what", PHANTOMS)
def test_a_setting_that_reaches_nothing_is_refused(suite_of: Parse, what: str) -> None:
    """Instead of standing in a table as if it had been run."""
    text, found = PHANTOMS[what]
    with pytest.raises(SuiteError) as caught:
        suite_of(text=text)
    (line,) = str(caught.value).splitlines()
    assert found in line


UNREAD = {
    "a method without an optimizer": (
        ("method: replay", "method: la-maml"),
        "The base's optimizer is read by no arm: method 'la-maml' has no optimizer.",
    ),
    "a method that says its own": (
        ("method: replay", f"method: {OWN}"),
        "The base's optimizer is read by no arm: method 'replay' says its own optimizer.",
    ),
    "a method without a loss": (
        ("method: replay", "method: rps-net\n  loss: all-ce"),
        "The base's loss is read by no arm: method 'rps-net' has no loss.",
    ),
}


@pytest.mark.parametrize("what", UNREAD)
def test_what_a_base_says_for_all_methods_may_wait_for_another_one(
    catalogue: Catalogue, tmp_path: Path, what: str
) -> None:
    """No table shows it, so that it is said before the runs and in the report, and not refused."""
    change, said = UNREAD[what]
    suite = parse_suite(SHARED.replace(*change).encode(), "t", "t.yaml", catalogue)
    assert suite.unread == (said,)
    assert said in flow.prepare(suite, Path("data"), None).plan.warnings
    assert said in judge.warnings(suite, [{}], [])
    loss = "" if "loss" in change[1] else ", loss: all-ce"
    swapped = parse_suite(
        SHARED.replace(*change).encode(),
        "t",
        "t.yaml",
        catalogue,
        changes=[f"method={{meta: {{update: maml{loss}}}}}"],
    )
    assert swapped.unread == ()


@pytest.mark.parametrize(
    "change", ["memory.herding.budget_rows=7", "memory={first: {budget_rows: 3}}", "optimizer=sgd"]
)
def test_a_change_of_the_command_line_that_reaches_nothing_is_refused(
    catalogue: Catalogue, change: str
) -> None:
    """Every arm sets it itself, or has no place for it."""
    text = BASE + "arms:\n  a: {memory: {herding: {budget_rows: 5}}}\n  b: {memory: none}\n"
    with pytest.raises(SuiteError, match=r"command line: .*takes no effect"):
        parse_suite(text.encode(), "t", "t.yaml", catalogue, changes=[change])


def test_a_change_that_some_arms_do_not_take_says_which(catalogue: Catalogue) -> None:
    """In words, beside what it replaced."""
    changes = ["memory.herding.budget_rows=7", "dataset.digits.tasks=2"]
    suite = parse_suite(APART.encode(), "t", "t.yaml", catalogue, changes=changes)
    assert suite.changed_words == ("budget_rows: 7, not 50 (not in random)", "tasks: 2, not 5")


def test_both_ways_to_write_what_was_meant_are_said(suite_of: Parse) -> None:
    """And the first of them reads, in as many lines."""
    with pytest.raises(SuiteError) as caught:
        suite_of(text=APART + "vary: {memory.herding.budget_rows: [20, 50]}\n" + CLAIM)
    assert "memory.*.budget_rows" in str(caught.value)
    assert "an arm for each of its values" in str(caught.value)
    suite = suite_of(text=KINDS + SIZES + CLAIM)
    assert [variant.choices["memory"].label() for variant in suite.variants] == [
        "herding(20)",
        "random(20)",
        "herding(50)",
        "random(50)",
    ]
    assert [(one.treatment, one.baseline) for one in suite.contrasts] == [(0, 1), (2, 3)]


def test_an_arm_that_an_axis_misses_runs_once_and_is_labelled(
    suite_of: Parse, run_suite: Callable[..., flow.Study]
) -> None:
    """Two arms that it misses are compared once; no table or picture has a cell that never ran."""
    text = APART.replace("  random:", "  first: {memory: {first: {budget_rows: 20}}}\n  random:")
    suite = suite_of(
        text=text
        + "vary: {memory.herding.budget_rows: [20, 50]}\nseeds: 2\n"
        + CLAIM.replace("herding", "first")
    )
    assert [variant.label for variant in suite.variants] == [
        "herding, budget_rows = 20",
        "first, budget_rows not varied",
        "random, budget_rows not varied",
        "herding, budget_rows = 50",
    ]
    assert [(one.treatment, one.baseline) for one in suite.contrasts] == [(1, 2)]
    study = run_suite(suite)
    assert len(study.arms) == 4
    assert study.settings == ()
    assert next(judge.unvaried(suite)).startswith("first is not varied by budget_rows")
    text = write.text(study)
    for arm in ("first", "random"):
        assert f"{arm}, budget_rows = " not in text
        assert f"{arm}, budget_rows not varied" in text


def test_ranks_and_shares_leave_out_arms_that_an_axis_misses(
    suite_of: Parse, run_suite: Callable[..., flow.Study]
) -> None:
    """Their one run stands for none of the settings."""
    text = KINDS.replace("arms:", "arms:\n  none: {memory: none}") + SIZES + "seeds: 3\n" + CLAIM
    study = run_suite(suite_of(text=text))
    assert importance.settings(study.suite, study.runs)[0].arms == ("herding", "random")
    levels = importance.importance(study.suite, study.runs)[0].levels
    assert {one.level for one in levels} == {"herding", "random", "20", "50"}


def test_any_component_may_be_named_by_a_star(suite_of: Parse) -> None:
    """In axes, arms and factors; a name in its place keeps the settings, and may add some."""
    for axis in ("dataset.*.class_order: [seeded, natural]", "memory.*: [herding, first]"):
        suite = suite_of(text=BASE + f"vary: {{{axis}}}\nseeds: 2\n")
        assert len({str(variant.choices) for variant in suite.variants}) == 2
    assert cell_words(suite.variants[1].cell) == ["memory = first"]
    assert suite.variants[1].choices["memory"].label() == "first(50)"
    suite = suite_of(text=BASE + "arms: {a: {memory.*: {random: {budget_rows: 7}}}}\n")
    assert suite.variants[0].choices["memory"].label() == "random(7)"
    suite = suite_of(text=BASE + FACTORIAL)
    memories = [variant.choices["memory"].label() for variant in suite.variants]
    assert memories == ["herding(20)", "herding(90)", "random(20)", "random(90)"]


def test_levels_of_an_axis_may_have_names(suite_of: Parse) -> None:
    """A mapping of names to values; a single one is a component that lacks its list."""
    axis = "vary: {method.meta.update: {plain: balanced, half: {reptile: {epsilon: 0.5}}}}\n"
    suite = suite_of(text=BASE + axis)
    assert [variant.label for variant in suite.variants] == [
        "base, update = plain",
        "base, update = half",
    ]
    with pytest.raises(SuiteError, match="one level of 'memory' by name; allowed: a list"):
        suite_of(text=BASE + "vary: {memory: {herding: {budget_rows: 3}}}\n")
    with pytest.raises(SuiteError, match=r"half on the axis .*, which is the same as plain"):
        suite_of(text=BASE + axis.replace("balanced", "reptile"))


MORE = CLAIM + CLAIM.split("\n", 1)[1]
SAME = {
    "the other way round": (
        KINDS
        + CLAIM
        + CLAIM.split("\n", 1)[1].replace(
            "treatment: herding, baseline: random", "treatment: random, baseline: herding"
        ),
        "declared above, the other way round",
    ),
    "another margin": (KINDS + MORE.replace("2 points}\n  -", "3 points}\n  -"), "declared above"),
    "a metric under another name": (
        KINDS + CLAIM + CLAIM.split("\n", 1)[1].replace("all-classes", "accuracy"),
        "declared above",
    ),
    "a summary under another name": (
        KINDS
        + MORE.replace("all-classes", "forgetting", 1).replace(
            "all-classes", "forgetting@all-classes"
        ),
        "declared above",
    ),
    "a pool over one setting": (
        KINDS
        + "vary: {memory.*.budget_rows: [20]}\n"
        + MORE.replace("2 points}\n  -", "2 points, over: all}\n  -"),
        "declared above",
    ),
    "arms of two names": (
        KINDS.replace("arms:", "arms:\n  again: {memory: {herding: {budget_rows: 50}}}"),
        "arm 'herding' is the same as arm 'again'",
    ),
    "an arm that says a default": (
        KINDS.replace("  herding: {}", "  herding: {method.meta.inner_steps: 1}\n  base: {}"),
        "arm 'base' is the same as arm 'herding'",
    ),
    "arms that are scored alike": (
        KINDS.replace("memory.*: random", "predict: known-task") + CLAIM,
        "are the same runs, scored alike in all-classes",
    ),
    "levels of a factor": (
        BASE + FACTORIAL.replace("budget_rows: 90", "budget_rows: 20"),
        "level 'large' of factor 'size' is the same as level 'small'",
    ),
    "factors that always change together": (
        BASE
        + FACTORIAL.replace(
            "  metric",
            "    c: {x: {}, y: {training.standard.epochs: 2}}\n"
            "    d: {x: {}, y: {method.meta.inner_steps: 2}}\n"
            "  fraction: {c: [kind, size], d: [size, kind]}\n  metric",
        ),
        "factors 'c' and 'd', which always change together",
    ),
    "an effect that a contrast asks about": (
        BASE
        + FACTORIAL.replace(
            "    size: {small: {memory.*.budget_rows: 20}, large: {memory.*.budget_rows: 90}}\n", ""
        )
        + CLAIM.replace("herding", "first levels").replace("random", "kind"),
        "the effect of kind, which a contrast asks about too",
    ),
    "whole and decimal numbers on an axis": (
        BASE + "vary: {method.meta.update.reptile.epsilon: [1, 1.0]}\n",
        "1.0 on the axis 'method.meta.update.reptile.epsilon', which is the same as 1",
    ),
    "an axis's value that is another's default": (
        BASE + "vary: {method.meta.update: [balanced, {balanced: {steps: one}}]}\n",
        "which is the same as balanced",
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_the_same_twice_is_refused(suite_of: Parse, what: str) -> None:
    """A family that grows by repetition asks more of every claim in it."""
    text, found = SAME[what]
    with pytest.raises(SuiteError) as caught:
        suite_of(text=text)
    (line,) = str(caught.value).splitlines()
    assert found in line
    assert "t.yaml:1:1:" not in line


def test_an_arm_and_its_twin_are_the_same_on_purpose(suite_of: Parse) -> None:
    """The twin has seeds of its own."""
    suite = suite_of(text=KINDS + CLAIM + "same: herding\n")
    assert suite.twins == ((0, 2),)


def test_a_claim_over_settings_stands_beside_those_of_each(suite_of: Parse) -> None:
    """It is about their mean, which is another quantity."""
    both = MORE.replace("2 points}\n  -", "2 points, over: all}\n  -")
    suite = suite_of(text=KINDS + SIZES + both)
    assert (len(suite.contrasts), len(suite.effects)) == (2, 1)
