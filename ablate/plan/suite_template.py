"""A commented suite for a question, to start from: `init` writes what the reader has taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ablate.core import resources
from ablate.design.reader import parse_suite
from ablate.errors import SelectionError, StoreError, SuiteError, unknown
from ablate.registry import Catalogue

SLOTS = {
    "memory": "memory",
    "optimizer": "optimizer",
    "loss": "loss",
    "model": "model",
    "method": "method",
    "update": "method.meta.update",
}
"""Kinds that arms may be components of, by the path at which an arm has its own."""

BASES = (("replay", "paired"), ("{meta: {update: reptile}}", "balanced"))
"""Methods of the base with the batches that suit them, in the order in which they are tried."""

RATE = 0.1
"""Learning rate of the base; an arm that nobody has described has a part of it."""

TEMPLATE = """\
# Every key: docs/reference/suite.md. A slip is answered with its line and what is allowed there.
#   ablate-study plan {file}    what will run, what it costs and what looks odd; trains nothing
#   ablate-study run {file}     trains, tests, and writes the report
question: {question}

# What all arms have in common. `ablate-study list` names the components, and `show memory.herding`
# says what one does and which fields it has; a bare name takes its defaults.
base:
  dataset: {{digits: {{tasks: 5}}}} # real handwritten digits that need no download
  model: {{mlp: {{widths: [64, 64]}}}}
  memory: {{random: {{budget_rows: 200}}}} # rows of earlier tasks that are kept
  optimizer: {{sgd: {{lr: {rate}}}}}
  loss: all-ce
  training: {{standard: {{epochs: 10, batch_rows: 32, batches: {batches}}}}}
  method: {method}

# An arm is what it changes of the base, by dotted paths; {{}} changes nothing.
arms:
{arms}

# Runs of every arm. Arms share their seeds: the same start, class order and batches make a pair.
seeds: {seeds}

# Claims, declared before the first run. margin: the smallest difference that would matter to you;
# one that is smaller for sure is NEGLIGIBLE, one that is larger for sure MATTERS.
contrasts:
{contrasts}

# Rate of false claims over all contrasts together.
alpha: 0.05

# What `--quick` changes: a first look in seconds, which decides nothing.
quick:
  seeds: 5
  training.standard.epochs: 2
"""


@dataclass(frozen=True)
class Outline:
    """What a suite asks. arms: names, those of components of one kind or free ones, >= 2.

    margin: as a suite has it: `2 points`, `[-1 points, 2 points]`. seeds: >= 3.
    """

    question: str
    arms: tuple[str, ...]
    baseline: str
    metric: str
    margin: str
    seeds: int


def write(name: str, outline: Outline, catalogue: Catalogue) -> Path:
    """Write a suite that the reader takes, into `name` or `name.yaml`; gives its path.

    Raises SelectionError for a name that is taken and arms that make no contrast, SuiteError for
    what the reader refuses.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else Path(f"{name}.yaml")
    if name in resources.suites():
        raise SelectionError(f"{name!r} is the name of a shipped suite: choose another")
    content = text(path, _checked(outline), catalogue)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise SelectionError(
            f"{path} is there already and stays as it is: choose another name"
        ) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def text(path: Path, outline: Outline, catalogue: Catalogue) -> str:
    """Give the suite's text: arms that are components of one kind change just that.

    Raises SuiteError where the reader does not take it.
    """
    kinds = [kind for kind in SLOTS if {*outline.arms} <= {*catalogue.names(kind)}]
    # components that go with neither base stay free names, as those of several kinds do
    for kind, base in [*((kind, base) for kind in kinds for base in BASES), ("", BASES[0])]:
        content = _filled(path, outline, kind, base)
        try:
            parse_suite(content.encode(), path.stem, str(path), catalogue)
        except SuiteError:
            if not kind:
                raise
        else:
            break
    return content


def _checked(outline: Outline) -> Outline:
    """Give the outline with its baseline first. Raises SelectionError where no contrast is left."""
    arms = tuple(dict.fromkeys(outline.arms))
    if len(arms) < 2:
        raise SelectionError("a contrast takes two arms at least, as in --arms full,small")
    if outline.baseline not in arms:
        raise SelectionError(unknown("arm", outline.baseline, arms))
    others = tuple(arm for arm in arms if arm != outline.baseline)
    return replace(outline, arms=(outline.baseline, *others))


def _filled(path: Path, outline: Outline, kind: str, base: tuple[str, str]) -> str:
    """Fill the template. kind: of the components that the arms are, '' for free names."""
    method, batches = base
    contrasts = [
        f"  - {{treatment: {_scalar(arm)}, baseline: {_scalar(outline.baseline)}, "
        f"metric: {_scalar(outline.metric)}, margin: {_margin(outline.margin)}}}"
        for arm in outline.arms[1:]
    ]
    return TEMPLATE.format(
        file=path.name,
        question=_scalar(outline.question),
        rate=RATE,
        batches=batches,
        method=method,
        arms="\n".join(_arms(outline.arms, kind)),
        seeds=outline.seeds,
        contrasts="\n".join(contrasts),
    )


def _arms(arms: Sequence[str], kind: str) -> list[str]:
    if kind:
        return [f"  {_scalar(arm)}: {{{SLOTS[kind]}: {_scalar(arm)}}}" for arm in arms]
    first, *others = arms
    changed = [
        f"  {_scalar(arm)}: {{optimizer.sgd.lr: {RATE / 2**place:g}}} # a stand-in: write "
        "what this arm changes"
        for place, arm in enumerate(others, 1)
    ]
    return [f"  {_scalar(first)}: {{}}", *changed]


def _margin(value: str) -> str:
    """Write a margin as it was given: text with its unit, or a list of two.

    >>> _margin("2 points"), _margin("[-1 points, 2 points]")
    ('2 points', '[-1 points, 2 points]')
    """
    try:
        return _scalar(yaml.safe_load(value))
    except yaml.YAMLError:
        return _scalar(value)


def _scalar(value: Any) -> str:
    """Write text so that YAML reads it as that text, inside braces too.

    >>> _scalar("2 points"), _scalar("a: b"), _scalar("no")
    ('2 points', "'a: b'", "'no'")
    """
    listed: str = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**6)
    return listed.strip()[1:-1]
