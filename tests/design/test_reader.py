"""Suites: what they mean, and how each fault is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ablate.core import resources
from ablate.design.reader import parse_suite, read_suite
from ablate.errors import SuiteError
from ablate.registry import Catalogue
from ablate.types import Choice, Suite
from tests.conftest import TINY

Parse = Callable[..., Suite]


def method(suite: Suite, variant: int = 0) -> dict[str, object]:
    return dict(suite.variants[variant].choices["method"].settings)


def test_every_field_is_filled_in(suite_of: Parse) -> None:
    """Defaults are part of what was declared, so they are part of the key."""
    settings = method(suite_of())
    assert settings["inner_steps"] == 1
    assert settings["inner_state"] == "fresh"
    assert settings["optimizer"] == Choice(
        "optimizer", "sgd", {"lr": 0.3, "momentum": 0.0, "weight_decay": 0.0}
    )


def test_arms_and_axes_are_crossed(suite_of: Parse) -> None:
    """Every arm in every cell, labelled by what differs."""
    suite = suite_of(("seeds: 3", "vary: {method.meta.inner_steps: [1, 4]}\nseeds: 3"))
    assert [variant.label for variant in suite.variants] == [
        "reptile, inner_steps = 1",
        "balanced, inner_steps = 1",
        "reptile, inner_steps = 4",
        "balanced, inner_steps = 4",
    ]
    assert [method(suite, i)["inner_steps"] for i in range(4)] == [1, 1, 4, 4]
    assert [(c.treatment, c.baseline) for c in suite.contrasts] == [(0, 1), (2, 3)]


def test_an_axis_passes_by_arms_that_do_not_have_it(suite_of: Parse) -> None:
    """`balanced` has no epsilon: it runs once, and says so."""
    axis = "vary: {method.meta.update.reptile.epsilon: [0.1, 0.2]}\nseeds: 3"
    suite = suite_of(text=TINY[: TINY.index("contrasts:")].replace("seeds: 3", axis))
    assert [variant.label for variant in suite.variants] == [
        "reptile, epsilon = 0.1",
        "balanced, epsilon not varied",
        "reptile, epsilon = 0.2",
    ]
    epsilons = [method(suite, i)["update"].settings.get("epsilon") for i in range(3)]  # type: ignore[attr-defined]
    assert epsilons == [0.1, None, 0.2]


def test_match_takes_what_the_named_arm_has_in_the_same_place(suite_of: Parse) -> None:
    """In the same cell, too."""
    suite = suite_of(
        ("method.meta.update: balanced", "method.meta.update: {balanced: {match: reptile}}"),
        ("seeds: 3", "vary: {method.meta.update.reptile.epsilon: [0.1, 0.2]}\nseeds: 3"),
    )
    for variant, epsilon in ((1, 0.1), (3, 0.2)):
        match = method(suite, variant)["update"].settings["match"]  # type: ignore[attr-defined]
        assert match == Choice("update", "reptile", {"epsilon": epsilon})


def test_margins_are_points_and_metrics_may_name_a_protocol(suite_of: Parse) -> None:
    """As are all metrics."""
    suite = suite_of(
        (
            "metric: all-classes, margin: 2.0 points",
            "metric: forgetting@known-task, margin: .5 points",
        )
    )
    assert (suite.contrasts[0].metric, suite.contrasts[0].margin) == ("forgetting@known-task", 0.5)


def test_longer_paths_refine_shorter_ones_whatever_their_order(suite_of: Parse) -> None:
    """An arm may replace the memory and then set its budget."""
    suite = suite_of(
        (
            "balanced: {method.meta.update: balanced}",
            "balanced: {memory.herding.budget_rows: 7, memory: herding}",
        )
    )
    assert suite.variants[1].choices["memory"] == Choice("memory", "herding", {"budget_rows": 7})


@pytest.mark.parametrize("path", resources.suites().values(), ids=lambda path: path.stem)
def test_every_shipped_suite_reads(path: Path, catalogue: Catalogue) -> None:
    """With contrasts, each against a margin."""
    suite = read_suite(path, catalogue)
    assert suite.contrasts or suite.effects
    assert suite.question.endswith("?")


@pytest.mark.parametrize("path", resources.suites().values(), ids=lambda path: path.stem)
def test_every_shipped_suite_means_the_same_to_an_editor(path: Path) -> None:
    """YAML 1.1 takes `on` and `no` for booleans: such words are quoted."""

    def words(value: object) -> Iterator[object]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from words(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from words(inner)
        elif isinstance(value, bool):
            yield value

    text = path.read_text("utf-8")
    plain = [word for word in words(yaml.safe_load(text)) if not isinstance(word, str)]
    assert all(isinstance(word, bool | int) for word in plain)
    assert not [word for word in plain if isinstance(word, bool) and str(word).lower() not in text]


def test_update_rule_asks_for_its_arms_once_where_its_axis_reaches(catalogue: Catalogue) -> None:
    """Seven rules at one and at four inner steps, and replay, which has none, once."""
    suite = read_suite(resources.ROOT / "suites" / "update_rule.yaml", catalogue)
    assert (len(suite.variants), suite.seeds) == (15, 32)
    steps = {v.choices["method"].settings.get("inner_steps") for v in suite.variants}
    assert steps == {1, 4, None}


FAULTS = [
    # what is replaced, by what, place, what is said, the nearest name
    ("question:", "qestion:", "2:1", "unknown key 'qestion'", "question"),
    ("question: Does the update rule matter?", "", "3:1", "without 'question'", ""),
    ("question: Does the update rule matter?", "question: ''", "2:11", "an empty question", ""),
    ("digits:", "digit:", "4:13", "unknown dataset 'digit'", "digits"),
    ("reptile: {epsilon", "reptle: {epsilon", "14:16", "unknown update 'reptle'", "reptile"),
    ("epsilon: 0.5", "epsilom: 0.5", "14:26", "reptile has no 'epsilom'", "epsilon"),
    ("epsilon: 0.5", "epsilon: 1.5", "14:35", "1.5 for epsilon, which is out of range", ""),
    ("epsilon: 0.5", "epsilon: half", "14:35", "'half' (text) for epsilon", ""),
    ("epsilon: 0.5", "epsilon: .nan", "14:35", "nan for epsilon", ""),
    ("epsilon: 0.5", "epsilon: true", "14:35", "true for epsilon", ""),
    ("epsilon: 0.5", "epsilon: null", "14:35", "null for epsilon", ""),
    ("inner_steps: 1", "inner_steps: 1.5", "15:20", "1.5 for inner_steps", ""),
    ("inner_steps: 1", "inner_steps: 0", "15:20", "0 for inner_steps, which is out of range", ""),
    ("inner_steps: 1", "inner_state: karried", "15:20", "'karried' (text) for inner_state", ""),
    ("widths: [16]", "widths: 16", "5:25", "16 for widths", ""),
    ("widths: [16]", "widths: [16, x]", "5:25", "[16, 'x'] for widths", ""),
    ("widths: [16]", "widths: [0]", "5:25", "[0] for widths, which is out of range", ""),
    ("      loss: all-ce\n", "", "13:5", "meta without 'loss'", ""),
    ("loss: all-ce", "loss: [all-ce]", "17:13", "['all-ce'] for loss", ""),
    (
        "{random: {budget_rows: 50}}",
        "{random: {}, first: {}}",
        "6:11",
        "several keys for memory",
        "",
    ),
    ("{random: {budget_rows: 50}}", "{random: 50}", "6:20", "50 for random", ""),
    ("  memory: {random: {budget_rows: 50}}\n", "", "4:3", "a base without 'memory'", ""),
    ("  memory:", "  memori:", "6:3", "unknown kind 'memori'", "memory"),
    (
        "method.meta.update: balanced",
        "method.meta.updat: balanced",
        "20:14",
        "meta has no 'updat'",
        "update",
    ),
    ("method.meta.update: balanced", "method.lwf.update: balanced", "20:14", "leads through", ""),
    ("method.meta.update: balanced", "methd.meta.update: balanced", "20:14", "'methd'", "method"),
    (
        "method.meta.update: balanced",
        "method.meta.optimiser.lr: 1",
        "20:14",
        "nothing at",
        "optimizer",
    ),
    ("method.meta.update: balanced", "memory", "20:20", "null for memory", ""),
    (
        "balanced: {method.meta.update: balanced}",
        "balanced: 3",
        "20:13",
        "3 for arm 'balanced'",
        "",
    ),
    ("seeds: 3", "seeds: 0", "21:8", "0 for seeds, which is out of range", ""),
    ("seeds: 3", "seeds: three", "21:8", "'three' (text) for seeds", ""),
    ("seeds: 3", "seeds: 3\nalpha: 2", "22:8", "2 for alpha", ""),
    ("seeds: 3", "seeds: 3\ncorrection: holmes", "22:13", "'holmes' (text) for correction", ""),
    ("seeds: 3", "seeds: 3\nvary: {method.meta.inner_steps: 4}", "22:33", "4 for method", ""),
    ("seeds: 3", "seeds: 3\nvary: {method.meta.bogus: [1]}", "22:8", "reaches no arm", ""),
    ("seeds: 3", "seeds: 3\nvary: {memory.first.budget_rows: [1]}", "22:8", "reaches no arm", ""),
    ("treatment: reptile", "treatment: reptil", "23:17", "unknown arm 'reptil'", "reptile"),
    (
        "metric: all-classes",
        "metric: all-clases",
        "23:54",
        "unknown metric 'all-clases'",
        "all-classes",
    ),
    ("margin: 2.0 points", "margin: 2.0", "23:75", "2.0 for margin", ""),
    ("margin: 2.0 points", "margin: 0 points", "23:75", "'0 points' (text) for margin", ""),
    (", margin: 2.0 points", "", "23:5", "a contrast without 'margin'", ""),
    ("baseline: balanced", "baseline: reptile", "23:36", "compared with itself", ""),
    ("baseline: balanced", "bassline: balanced", "23:26", "unknown key 'bassline'", "baseline"),
    ("margin: 2.0 points", "margin: 101 points", "23:75", "'101 points' (text) for margin", ""),
    ("seeds: 3", "seeds: ٣", "21:8", "'٣' (text) for seeds", ""),
    ("seeds: 3", "seeds: 3\nalpha: 1e-17", "22:8", "1e-17 for alpha", ""),
    ("seeds: 3", "seeds: 3\nvary: {method.meta.inner_steps: []}", "22:33", "[] for method", ""),
    (
        "seeds: 3",
        "seeds: 3\nvary: {method.meta.inner_steps: [1, 1]}",
        "22:37",
        "1 more than once",
        "",
    ),
    (
        "seeds: 3",
        "seeds: 3\nvary: {method.meta.update: [{itaml: foo}]}",
        "22:37",
        "'foo' (text) for itaml",
        "",
    ),
    ("  balanced: {method", "  a$^$: {method", "20:3", "'a$^$' for an arm's name", ""),
    ("  balanced: {method", "  _b: {method", "20:3", "'_b' for an arm's name", ""),
    ("  balanced: {method", "  '': {method", "20:3", "'' for an arm's name", ""),
    (
        "update: balanced",
        "update: {balanced: {match: reptil}}",
        "20:53",
        "unknown arm or update 'reptil'",
        "reptile",
    ),
    ("method:\n    meta:\n", "method: meta\n  x:\n    meta:\n", "12:11", "meta without 'loss'", ""),
    ("contrasts:\n  - {", "contrasts: {x: {", "0:0", "not YAML", ""),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "said", "near"), FAULTS, ids=[f[1][:40] for f in FAULTS]
)
def test_a_fault_is_answered_with_place_finding_and_nearest_name(
    suite_of: Parse, old: str, new: str, place: str, said: str, near: str
) -> None:
    """`file:line:column: found; allowed: ...; did you mean ...?`."""
    with pytest.raises(SuiteError) as caught:
        suite_of((old, new))
    lines = [line for line in str(caught.value).splitlines() if said in line]
    assert lines, str(caught.value)
    if place != "0:0":
        assert lines[0].startswith(f"tiny.yaml:{place}: ")
    assert not near or f"did you mean {near!r}?" in lines[0]


def test_all_problems_are_told_at_once(suite_of: Parse) -> None:
    """In the order of the file."""
    with pytest.raises(SuiteError) as caught:
        suite_of(
            ("epsilon: 0.5", "epsilon: 2"), ("epochs: 1", "epochs: 0"), ("seeds: 3", "seeds: no")
        )
    places = [re.match(r"tiny.yaml:(\d+)", line) for line in str(caught.value).splitlines()]
    assert [int(place[1]) for place in places if place] == [9, 14, 21]


def test_an_update_that_cannot_carry_state_is_refused(
    suite_of: Parse, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    """With the reason, and the rules that can."""
    from dataclasses import replace

    limited = replace(catalogue.get("update", "joint"), methods=frozenset({"__call__"}))
    monkeypatch.setitem(catalogue.components, ("update", "joint"), limited)  # type: ignore[arg-type]
    with pytest.raises(
        SuiteError, match=r"inner_state: carried with update 'joint', which cannot carry"
    ):
        suite_of(
            ("update: balanced", "update: joint"),
            ("inner_steps: 1", "inner_steps: 1\n      inner_state: carried"),
        )


def test_matching_a_rule_without_a_step_is_refused(suite_of: Parse) -> None:
    """`joint` has no effective step to take."""
    with pytest.raises(
        SuiteError, match="match: a component with match 'joint', which cannot scale"
    ):
        suite_of(("update: balanced", "update: {balanced: {match: {joint: {}}}}"))


def test_arms_that_match_each_other_in_a_circle_are_refused(suite_of: Parse) -> None:
    """Instead of following each other for ever."""
    with pytest.raises(SuiteError, match="circle"):
        suite_of(
            ("  reptile: {}", "  reptile: {method.meta.update: {balanced: {match: balanced}}}"),
            ("update: balanced", "update: {balanced: {match: reptile}}"),
        )


@pytest.mark.parametrize(
    ("arm", "axis"),
    [
        ("method.meta.inner_steps: 2", "method.meta.inner_steps: [1, 2]"),
        ("method.meta.update.reptile.epsilon: 0.1", "method.meta.update: [itaml, joint]"),
    ],
)
def test_an_arm_may_not_set_what_an_axis_sets(suite_of: Parse, arm: str, axis: str) -> None:
    """One of them would be silently lost."""
    with pytest.raises(SuiteError, match="which vary sets too"):
        suite_of(("method.meta.update: balanced", arm), ("seeds: 3", f"vary: {{{axis}}}\nseeds: 3"))


def test_an_axis_may_not_lie_inside_another(suite_of: Parse) -> None:
    """Its cells would be labelled by what was undone."""
    axes = "{method.meta.update.reptile.epsilon: [0.1, 0.9], method.meta.update: [itaml, joint]}"
    with pytest.raises(SuiteError, match="inside the axis"):
        suite_of(("seeds: 3", f"vary: {axes}\nseeds: 3"))


def test_a_grid_of_too_many_cells_is_refused(suite_of: Parse) -> None:
    """With the limit."""
    many = ", ".join(str(i) for i in range(1, 200))
    axes = f"{{method.meta.inner_steps: [{many}], training.standard.epochs: [{many}]}}"
    with pytest.raises(SuiteError, match="more than 10,000 cells"):
        suite_of(("seeds: 3", f"vary: {axes}\nseeds: 3"))


def test_a_claim_is_declared_once(suite_of: Parse) -> None:
    """Also where only the margin differs."""
    again = "  - {treatment: reptile, baseline: balanced, metric: all-classes, margin: 9 points}\n"
    with pytest.raises(SuiteError, match=r"24:5: a contrast that is declared above"):
        suite_of(text=TINY + again)


def test_names_that_look_like_numbers_are_names(suite_of: Parse) -> None:
    """Arms called 1 and true."""
    text = TINY.replace("  reptile: {}", "  1: {}").replace("  balanced: {", "  true: {")
    text = text.replace("treatment: reptile, baseline: balanced", "treatment: 1, baseline: true")
    suite = suite_of(text=text)
    assert [variant.arm for variant in suite.variants] == ["1", "true"]
    assert len(suite.contrasts) == 1


def test_a_question_over_several_lines_is_one_line(suite_of: Parse) -> None:
    """It becomes a heading."""
    suite = suite_of(("Does the update rule matter?", "|\n  Does it\n\n  # matter?"))
    assert suite.question == "Does it # matter?"


def test_a_suite_that_is_no_mapping_is_refused(catalogue: Catalogue) -> None:
    """A list, or a word."""
    with pytest.raises(SuiteError, match="allowed: a mapping: question"):
        parse_suite(b"- 1\n", "x", "x.yaml", catalogue)


def test_a_missing_file_is_an_error_of_the_suite(tmp_path: Path, catalogue: Catalogue) -> None:
    """With the path and the system's reason."""
    with pytest.raises(SuiteError, match="No such file"):
        read_suite(tmp_path / "none.yaml", catalogue)


def test_a_suite_without_arms_has_one(suite_of: Parse) -> None:
    """The base itself, and no question to answer."""
    text = TINY[: TINY.index("arms:")] + "seeds: 2\n"
    suite = suite_of(text=text)
    assert [variant.arm for variant in suite.variants] == ["base"]
    assert suite.contrasts == ()


@pytest.mark.parametrize("batches", ["natural", "balanced"])
def test_only_a_paired_batch_has_a_number_of_exemplars(batches: str, catalogue: Catalogue) -> None:
    """Elsewhere nothing would read it."""
    text = """
question: Does it matter?
base:
  dataset: digits
  model: mlp
  memory: {herding: {budget_rows: 50}}
  method: replay
  optimizer: sgd
  training: {standard: {batches: BATCHES, exemplar_rows: 7}}
"""
    parse_suite(text.replace("BATCHES", "paired").encode(), "s", "s.yaml", catalogue)
    with pytest.raises(SuiteError, match=f"exemplar_rows and batches '{batches}'"):
        parse_suite(text.replace("BATCHES", batches).encode(), "s", "s.yaml", catalogue)
