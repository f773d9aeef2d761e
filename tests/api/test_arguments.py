"""The arguments of a study: written as a suite that reads back, and refused where none could be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings, strategies as st

from ablate.api import Study
from ablate.api.arguments import plain, suite_text
from ablate.errors import AblateError, ArgumentError
from ablate.parsing.located_yaml import read_document

ARMS: dict[str, Any] = {"full": {}, "no-aug": {"aug": False}}


def train(seed: int, lr: float = 0.1, aug: bool = True, net: Any = object) -> float:
    """Take what most functions take; `net` has a default that no suite can say."""
    return seed * lr * aug


def placed(seed: int, lr: float = 0.1, /) -> float:
    return seed * lr


def seedless(lr: float = 0.1, aug: bool = True) -> float:
    return lr * aug


def needing(seed: int, aug: bool) -> float:
    return seed * aug


def anything(seed: int, **params: Any) -> float:
    return seed * len(params)


def declared(run: Callable[..., Any] = train, **changes: Any) -> Study:
    """Declare a study that is sound but for the changes."""
    whole: dict[str, Any] = {
        "question": "Does it help?",
        "arms": ARMS,
        "run": run,
        "seeds": 5,
        "margin": 0.1,
    }
    return Study(**{**whole, **changes})


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no function": ({"run": None}, "give the function that trains"),
    "no code": ({"run": functools.partial(train, lr=1)}, "run is a partial, whose code cannot"),
    "no seed": ({"run": seedless}, "seedless() takes no seed: add a parameter `seed`"),
    "by place": ({"run": placed}, "takes seed by its place alone"),
    "a parameter that it lacks": (
        {"arms": {"full": {}, "no-aug": {"augg": False}}},
        "Study(arms=...): unknown parameter 'augg'; allowed: lr, aug; did you mean 'aug'?",
    ),
    "one in the base": ({"base": {"rl": 1}}, "train() takes no rl: did you mean 'lr'?"),
    "an arm without it": ({"run": needing}, "needing() needs aug, which arm 'full' does not give"),
    "another without it": ({"run": anything}, "anything() needs aug, which arm 'full' does not"),
    "a default of no suite": (
        {"arms": {"full": {}, "mlp": {"net": "mlp"}}},
        "train() needs net, which arm 'full' does not give",
    ),
    "another type": (
        {"arms": {"full": {}, "no-aug": {"aug": "no"}}},
        "Study(arms=...): 'no' (text) for aug; allowed: a value like true",
    ),
    "an object": (
        {"arms": {"full": {}, "sgd": {"lr": object()}}},
        "arm 'sgd': a value of type object cannot be written into a suite",
    ),
    "not finite": ({"base": {"lr": float("nan")}}, "base: nan is no finite number"),
    "a huge number": ({"base": {"lr": 10**18}}, "more digits than a suite's whole numbers"),
    "keys": ({"base": {"lr": {1: 2}}}, "1 is a key and no text"),
    "no arms": ({"arms": ["full"]}, "arms: a mapping is needed"),
    "an arm of a number": ({"arms": {"full": 3}}, "arm 'full' is 3: give parameters"),
    "an unknown arm": (
        {"contrasts": [("no-agu", "full")]},
        "Study(contrasts=...): unknown arm 'no-agu'",
    ),
    "no contrast": ({"contrasts": ["full"]}, "'full' is no contrast; ('no-aug', 'full') is one"),
    "an unknown baseline": ({"baseline": "fuul"}, "no arm 'fuul'. Did you mean 'full'?"),
    "no margin": ({"margin": None}, "margin: none was given: the smallest difference"),
    "a negative margin": ({"margin": -1}, "Study(contrasts=...): -1 for margin"),
    "a question": ({"question": " "}, "Study(question=...): "),
    "no seeds": ({"seeds": 0}, "Study(seeds=...): 0"),
    "an unknown key": ({"correctoin": "holm"}, "did you mean 'correction'?"),
    "an unknown metric": (
        {"contrasts": [{"treatment": "no-aug", "baseline": "full", "metric": "loss"}]},
        "Study(contrasts=...): unknown metric 'loss'; allowed: accuracy",
    ),
    "both arms the same": ({"arms": {"full": {}, "same": {"aug": True}}}, "is the same as arm"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_study_is_refused_with_its_mend(name: str) -> None:
    """By the argument that it stands in, and nothing is run."""
    changes, message = FAULTS[name]
    with pytest.raises(AblateError) as caught:
        declared(**changes)
    assert message in str(caught.value)
    assert ".yaml" not in str(caught.value)


def test_every_problem_is_told_at_once() -> None:
    """Each with its argument."""
    with pytest.raises(ArgumentError) as caught:
        declared(seeds=0, alpha=3)
    lines = caught.value.text().splitlines()
    assert [line.split("=")[0] for line in lines] == ["Study(seeds", "Study(alpha"]


def test_what_an_arm_leaves_out_is_the_functions_default() -> None:
    """Arms are called as `run(seed, **base, **arm)`, whatever the first of them gives."""
    study = declared(arms={"fast": {"lr": 0.5}, "no-aug": {"aug": False}}, base={"aug": True})
    settings = {v.arm: v.choices["method"].settings["params"] for v in study.suite.variants}
    assert settings == {"fast": {"lr": 0.5, "aug": True}, "no-aug": {"lr": 0.1, "aug": False}}
    assert [(c.treatment, c.baseline) for c in study.suite.contrasts] == [(1, 0)]
    other = declared(baseline="no-aug", margin=[-1, 2])
    assert [(c.treatment, c.baseline) for c in other.suite.contrasts] == [(0, 1)]
    assert (other.suite.contrasts[0].lower_margin, other.suite.contrasts[0].margin) == (1, 2)


def test_a_function_of_a_module_is_named_by_it() -> None:
    """So that the suite can be run elsewhere; a closure has a name of this process."""
    assert f"function: {__name__}:train\n" in declared().text
    assert "function: __notebook__:inner_" in declared(run=_inside()).text


def _inside() -> Callable[..., float]:
    def inner(seed: int, aug: bool = True) -> float:
        return seed * aug

    return inner


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
    | st.sampled_from(["1e-3", "1_000", "no", "null", "~", "=", "<<", ".5", "0x1", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(VALUES, VALUES)
@settings(max_examples=150)
def test_every_plain_value_reads_back_as_it_was(first: Any, second: Any) -> None:
    """Text that looks like a number stays text, in the reader that suites have."""
    claims = {"contrasts": [], "baseline": None, "metric": "m", "margin": 1}
    arms = {"a": {"x": first}, "b": {"x": second}}
    text = suite_text("Is it?", lambda seed, x: 0, arms, {}, {"m": {}}, claims, {})
    content = read_document(text.encode()).plain()
    assert repr(content["arms"]) == repr(arms)
    assert repr(content["base"]["method"]["external"]["params"]) == repr({"x": first})
    assert yaml.safe_load(text)["question"] == "Is it?"


def test_numbers_of_numpy_and_tuples_are_plain() -> None:
    """As they arrive in the function."""
    value = {"a": np.float64(0.5), "b": (np.int32(1), np.bool_(True)), "c": np.array(2)}
    assert repr(plain(value)) == repr({"a": 0.5, "b": [1, True], "c": 2})
    with pytest.raises(ValueError, match="type ndarray"):
        plain(np.arange(2))
