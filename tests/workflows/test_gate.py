"""What is expected of two arms: kept, broken or open; of tables, suites and reports, in pytest."""

from __future__ import annotations

import json
import random
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from ablate import flow
from ablate.errors import ExitCode, SelectionError
from ablate.records.store import open_store
from ablate.types import Decision
from ablate.workflows.gate import sources
from ablate.workflows.gate.expectations import BROKEN, KEPT, OPEN, PHRASES, read
from tests.commands.test_cli import ask
from tests.conftest import TINY

pytest_plugins = ["pytester"]


@pytest.fixture
def scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table: b is 2 under a, c is as a but for noise, loss is 100 - accuracy."""
    draw = random.Random(1)
    lines = ["seed,method,accuracy,loss"]
    for seed in range(12):
        base = 80 + draw.gauss(0, 3)
        for arm, shift in (("a", 0.0), ("b-2", -2.0), ("c", 0.0)):
            score = base + shift + draw.gauss(0, 0.2)
            lines.append(f"{seed},{arm},{score:.4f},{100 - score:.4f}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "scores.csv"


TRUTHS = [
    ("b-2 - a: not worse than 0.5", BROKEN),
    ("b-2 - a: not worse than 3 points", KEPT),
    ("b-2 - a: not worse than 2.0", OPEN),
    ("b-2 - a: not better than 0.5", KEPT),
    ("a - b-2: not better than 0.5", BROKEN),
    ("a-b-2: better by more than 1", KEPT),
    ("a - b-2: better by more than 3", BROKEN),
    ("b-2 - a: worse by more than 1", KEPT),
    ("a - b-2: worse by more than 1", BROKEN),
    ("a − b-2: differs by more than 1", KEPT),
    ("b-2 – a: differs by more than 1", KEPT),
    ("c - a: differs by more than 1", BROKEN),
    ("c - a: within 1 point", KEPT),
    ("b-2 - a: within 1e0", BROKEN),
    ("b-2 - a: within 2", OPEN),
]


@pytest.mark.parametrize(("text", "word"), TRUTHS)
def test_every_phrase_is_kept_broken_or_open(scores: Path, text: str, word: str) -> None:
    """The exit code says the same."""
    code, said = ask("gate", str(scores), "--expect", text)
    assert said.split()[0] == word
    expected = {KEPT: ExitCode.DONE, BROKEN: ExitCode.DIFFERENCE, OPEN: ExitCode.UNDECIDED}
    assert code == expected[word]


@pytest.mark.parametrize(("text", "word"), TRUTHS)
def test_a_loss_turns_better_and_worse_around(scores: Path, text: str, word: str) -> None:
    """A loss that is higher by 2 is worse by 2."""
    turned = text.replace(":", " [loss]:")
    _, said = ask("gate", str(scores), "--less-is-better", "--expect", turned)
    assert said.split()[0] == word


def test_phrases_ask_for_what_a_verdict_can_be() -> None:
    """A side, and the two decisions of that side."""
    for phrase in PHRASES:
        calm = {"": Decision.NEGLIGIBLE, "helps": Decision.NO_GAIN, "hurts": Decision.NO_HARM}
        assert {phrase.kept, phrase.broken} == {Decision.MATTERS, calm[phrase.claim]}


def test_broken_goes_before_open_and_open_before_kept(scores: Path) -> None:
    """One code for all."""
    texts = ["c - a: within 1", "b-2 - a: within 2", "b-2 - a: within 1"]
    options = [word for text in texts for word in ("--expect", text)]
    assert ask("gate", str(scores), *options[:4])[0] == ExitCode.UNDECIDED
    code, said = ask("gate", str(scores), *options, "--json")
    assert code == ExitCode.DIFFERENCE
    document = json.loads(said)
    assert [entry["outcome"] for entry in document] == [KEPT, OPEN, BROKEN]
    assert {entry["alpha"] for entry in document} == {0.05 / 3}
    assert document[2]["low"] < document[2]["difference"] < document[2]["high"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a - d: within 1", "no arm 'd'"),
        ("a b: within 1", "names no two arms"),
        ("a - a: within 1", "compared with itself"),
        ("a - c", "has no ':'"),
        ("a - c: is 1", "no expectation 'is'"),
        ("a - c: within", "how much is missing"),
        ("a - c: within -1", "no expectation 'within -'"),
        ("a - c: within 0", "above 0"),
        ("a - c: within 1e999", "above 0"),
        ("a - c: within 1 2", "no expectation 'within 1'"),
        ("a - c: within nan", "no expectation 'within nan'"),
        ("a - c [gain]: within 1", "no column 'gain'"),
        (":", "no expectation ''"),
        ("", "has no ':'"),
    ],
)
def test_what_cannot_be_meant_is_refused(scores: Path, text: str, words: str) -> None:
    """With what is missing, and nothing is judged."""
    code, said = ask("gate", str(scores), "--expect", text)
    assert code == ExitCode.REFUSED
    assert words in said


def test_names_with_dashes_that_can_be_read_in_two_ways_are_refused() -> None:
    """Nobody knows which arms were meant."""
    with pytest.raises(SelectionError, match="2 ways"):
        read("a - b - c: within 1").between(("a", "b - c", "a - b", "c"))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of two settings that was run."""
    monkeypatch.chdir(tmp_path)
    text = TINY.replace("seeds: 3", "seeds: 5") + "vary: {training.standard.epochs: [1, 2]}\n"
    Path("tiny.yaml").write_text(text)
    assert ask("run", "tiny.yaml", "--results", "r", "--workers", "1")[0] == 0
    return tmp_path


def test_a_suite_is_held_in_every_setting_or_in_one(study: Path) -> None:
    """And a report by its own store; the metric is the contrast's unless another is named."""
    del study
    far = "reptile - balanced: within 90 points"
    code, said = ask("gate", "tiny.yaml", "--results", "r", "--expect", far)
    assert code == 0
    assert said.count("kept") == 2
    assert said.count("[all-classes]") == 2
    text = "reptile, epochs = 1 - balanced, epochs = 1 [forgetting]: within 100"
    code, said = ask("gate", "r/tiny/report.md", "--expect", text)
    assert said.count("[forgetting]") == 1
    assert code in (0, ExitCode.UNDECIDED)
    code, said = ask("gate", "tiny.yaml", "--results", "r", "--expect", far.replace(":", " [x]:"))
    assert code == ExitCode.REFUSED
    assert "no metric 'x'" in said


def test_runs_that_are_not_there_leave_it_open(study: Path) -> None:
    """No claim is made from nothing."""
    del study
    suite = flow.open_suite("tiny.yaml", seeds=7)
    outcomes = sources.of_suite(
        [read("reptile - balanced: within 90")], suite, open_store(Path("other"))
    )
    assert [outcome.word for outcome in outcomes] == [OPEN, OPEN]
    assert ask("gate", "tiny.yaml", "--results", "no", "--expect", "a - b: within 1")[0] == 2


PYTEST = """
import pytest

@pytest.mark.ablate("scores.csv", "c - a: within 1")
def test_kept():
    pass

@pytest.mark.ablate("scores.csv", "b-2 - a: within 1")
def test_broken():
    raise RuntimeError("never reached")

@pytest.mark.ablate("scores.csv", "b-2 - a: within 2")
def test_open():
    pass

@pytest.mark.ablate("scores.csv", "b-2 - a: within 2", undecided="skip")
def test_skipped():
    pass

def test_fixture(ablate_gate):
    ablate_gate("scores.csv", "c - a [loss]: not worse than 0.5", lower=True)

@pytest.mark.ablate("scores.csv", "d - a: within 1")
def test_refused():
    pass
"""


def test_claims_are_tests(scores: Path, pytester: pytest.Pytester) -> None:
    """A marker and a fixture; the reason is in pytest's own output."""
    pytester.makepyfile(PYTEST)
    (pytester.path / "scores.csv").write_text(scores.read_text())
    installed = entry_points(group="pytest11", name="ablate")
    plugin = () if installed else ("-p", "ablate.workflows.gate.pytest_plugin")
    result = pytester.runpytest_subprocess(*plugin, "-rA")
    result.assert_outcomes(passed=2, skipped=1, errors=3)
    shown = result.stdout.str()
    assert "broken  b-2 − a [accuracy]: within 1" in shown
    assert "There is no arm 'd'" in shown
    assert "never reached" not in shown.split("short test summary")[1]
