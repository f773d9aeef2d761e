"""Suites as strangers write them: what is meant runs; a slip is told once, with a way on."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.registry import Catalogue
from cli import main
from tests.design.bad_suites import placed
from tests.design.test_bad_suites import fault

BASE = """question: Which one?
base:
  dataset: {digits: {tasks: 5}}
  model: {mlp: {widths: [16]}}
  memory: {random: {budget_rows: 50}}
  optimizer: {sgd: {lr: 0.1}}
  training: {standard: {epochs: 2, batch_rows: 16}}
  method: replay
"""
ARMS = BASE + "arms:\n  a: {}\n  b: {memory.*: herding}\n"
CLAIM = "contrasts:\n  - {treatment: T, baseline: B, metric: all-classes, margin: 2 points}\n"
FACTORS = """factorial:
  factors:
    m: {random: {}, herding: {memory.*: herding}}
    s: {small: {memory.*.budget_rows: 20}, large: {memory.*.budget_rows: 90}}
  metric: all-classes
  margin: 2 points
"""
SLIPS = [
    # text, what is found, the name that is meant
    (BASE + "vary: {‸optimzer.sgd.lr: [0.1, 0.2]}\n", "reaches no arm", "optimizer.sgd.lr"),
    (BASE + "vary: {‸optimizer.adam.lr: [0.1, 0.2]}\n", "reaches no arm", "optimizer.sgd.lr"),
    (BASE + "arms: {a: {‸lr: 0.5}, b: {}}\n", "starts with 'lr'", "optimizer.sgd.lr"),
    (BASE + "arms: {a: {‸budget_rows: 5}, b: {}}\n", "starts with", "memory.random.budget_rows"),
    (BASE + "arms: {a: {‸base.memory: none}, b: {}}\n", "starts with 'base'", "memory"),
    (
        BASE
        + "arms: {a: {memory: {first: {budget_rows: 5}}, ‸memory.first.budget_rows: 6}, b: {}}\n",
        "'memory.first.budget_rows', which 'memory' sets too",
        "",
    ),
    (
        BASE + "arms: {a: {memory: {first: ‸[5]}, memory.first.budget_rows: 6}, b: {}}\n",
        "[5] for first",
        "",
    ),
    (BASE + "arms: {‸'a ': {}}\n", "for an arm's name", ""),
    (BASE + "arms: {a: {preset: ‸itaml}, b: {}}\n", "preset 'itaml' for arm 'a'", ""),
    (BASE + "correction: ‸BH\n", "'BH' (text) for correction", "bh"),
    (ARMS + "same: ‸[a]\n", "unknown arm ['a'] for same", ""),
    (ARMS + "vary: {dataset.*.tasks: [2, 5]}\nbudget: ‸[dataset]\n", "the budget ['dataset']", ""),
    (
        BASE
        + "vary: {memory: {few: {random: {budget_rows: 5}}, many: {random: {budget_rows: 9}}}}\n"
        + CLAIM.replace("T,", "‸many,").replace("B,", "base,"),
        "unknown arm 'many', a level of the axis 'memory'",
        "",
    ),
    (BASE + "tune: {space: {‸optimizer.*.lr: [1, 2]}}\n", "reaches no arm", "optimizer.sgd.lr"),
    (BASE + "tune: {space: {optimizer.sgd.lr: [1, ‸1]}}\n", "1 more than once", ""),
    (
        BASE + "vary: {optimizer.*.lr: [1, 2]}\ntune: {space: {‸optimizer.sgd.lr: [1, 2]}}\n",
        "is tuned and set by vary too",
        "",
    ),
    (
        BASE + FACTORS.replace("memory.*.budget_rows: 90", "‸memory.*.budget_row: 90"),
        "has no 'budget_row'",
        "budget_rows",
    ),
    (BASE + FACTORS + "  within: ‸M\n", "unknown factor 'M' for within", "m"),
]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip[1])
def test_a_slip_is_told_once_with_the_name_that_was_meant(
    slip: tuple[str, str, str], catalogue: Catalogue
) -> None:
    """However many components, levels or paths of a preset it meets."""
    text, found, near = slip
    assert fault(placed(found, text, found, near), catalogue) == ""
    if near:
        with pytest.raises(SuiteError, match="did you mean"):
            parse_suite(text.replace("‸", "").encode(), "t", "t.yaml", catalogue)


MEANT = {
    "methods of which one has no optimizer": (
        "vary: {method: [replay, la-maml], optimizer.sgd.lr: [0.1, 0.2]}\n",
        [
            "base, method = replay, lr = 0.1",
            "base, method = replay, lr = 0.2",
            "base, method = la-maml, lr not varied",
        ],
    ),
    "arms that all say their own memory": (
        "arms:\n  a: {memory: {first: {budget_rows: 9}}}\n  b: {method: fine-tune, memory: none}\n",
        ["a", "b"],
    ),
    "arms that all say their own training": (
        "arms:\n  a: {training: {standard: {epochs: 3}}}\n  b: {training: standard}\n",
        ["a", "b"],
    ),
    "a component's place for another arm's method": (
        "  loss: all-ce\narms:\n  replay: {}\n  meta: {method: {meta: {update: maml}}}\n",
        ["replay", "meta"],
    ),
    "one rate on two optimizers": (
        "arms:\n  sgd: {optimizer: sgd}\n  adam: {optimizer: adam}\n"
        "vary: {optimizer.*.lr: [0.01, 0.2]}\n",
        ["sgd, lr = 0.01", "adam, lr = 0.01", "sgd, lr = 0.2", "adam, lr = 0.2"],
    ),
}


@pytest.mark.parametrize("what", MEANT)
def test_what_a_researcher_writes_is_run_as_it_was_meant(what: str, catalogue: Catalogue) -> None:
    """Every cell is a run of its own, and none is there that never runs."""
    more, labels = MEANT[what]
    suite = parse_suite((BASE + more).encode(), "t", "t.yaml", catalogue)
    assert [variant.label for variant in suite.variants] == labels
    assert len({str(variant.choices) for variant in suite.variants}) == len(labels)


QUICK = "quick: {seeds: 5, memory.random.budget_rows: 20, optimizer.sgd.lr: 0.3}\n"
SWAPS = {
    "memory": ("memory={herding: {budget_rows: 9}}", "herding(9)", "memory.random.budget_rows"),
    "optimizer": ("optimizer=adam", "random(20)", "optimizer.sgd.lr"),
    "method": ("method=la-maml", "random(20)", "optimizer.sgd.lr"),
}


@pytest.mark.parametrize("what", SWAPS)
def test_a_quick_block_gives_way_to_what_set_has_swapped(what: str, catalogue: Catalogue) -> None:
    """It was written for the suite as it stands; what it loses is said."""
    change, memory, lost = SWAPS[what]
    suite = parse_suite((BASE + QUICK).encode(), "t", "t.yaml", catalogue, True, [change])
    assert suite.variants[0].choices["memory"].label() == memory
    assert any(lost in words for words in suite.unread)


def test_a_whole_component_of_set_goes_before_a_part_of_the_quick_block(
    catalogue: Catalogue,
) -> None:
    """As far as it says something itself."""
    quick = "quick: {training.standard.epochs: 1, training.standard.batch_rows: 8}\n"
    change = "training={standard: {epochs: 7}}"
    suite = parse_suite((BASE + quick).encode(), "t", "t.yaml", catalogue, True, [change])
    training = suite.variants[0].choices["method"].settings["training"].settings
    assert (training["epochs"], training["batch_rows"]) == (7, 8)


def test_a_star_of_a_quick_block_gives_way_as_well(catalogue: Catalogue) -> None:
    """What stands there now has no such setting."""
    quick = "quick: {memory.*.budget_rows: 9}\n"
    changes = ["memory=none", "method=fine-tune"]
    suite = parse_suite((BASE + quick).encode(), "t", "t.yaml", catalogue, True, changes)
    assert "memory.*.budget_rows is left out" in suite.unread[0]


@pytest.mark.parametrize("fault", ["memory.randm.budget_rows: 20", "memory.*.budgt: 1"])
def test_a_slip_in_a_quick_block_stays_one(fault: str, catalogue: Catalogue) -> None:
    """With other changes of the command line beside it, too."""
    with pytest.raises(SuiteError):
        parse_suite(
            (BASE + f"quick: {{{fault}}}\n").encode(),
            "t",
            "t.yaml",
            catalogue,
            True,
            ["memory.*=first"],
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "sgd"), "Meant may be: optimizer.sgd."),
        (("show", "optimizer"), "optimizer.adam, optimizer.radam, optimizer.sgd."),
        (("show", "sdg"), "optimizer.sgd"),
        (("show", "zzzzzz"), "`list` shows all"),
        (("verify", "nothing/report.md"), "there is no report nothing/report.md"),
        (("plan", "smoke", "--set", "seeds=3"), "allowed: --seeds 3"),
    ],
)
def test_a_command_says_what_was_meant(words: tuple[str, ...], said: str) -> None:
    """In one line, with exit code 2."""
    told = CliRunner().invoke(main, words)
    assert (told.exit_code, len(told.output.strip().splitlines())) == (2, 1)
    assert said in told.output


def test_a_plan_says_what_the_command_line_has_changed() -> None:
    """Before anything is trained."""
    words = ("plan", "smoke", "--quick", "--set", "dataset.digits.tasks=2", "--seeds", "6")
    told = CliRunner().invoke(main, words).output
    line = "Changed on the command line: epochs: 1, not 2; tasks: 2, not 5; seeds: 6, not 5."
    assert line in told.splitlines()
