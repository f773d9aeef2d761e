"""Every method in the engine: stacked equals alone, a term switched off is not there, refusals."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from ablate.design.reader import parse_suite
from ablate.errors import SuiteError
from ablate.plan.pending import look
from ablate.plan.run_keys import plan
from ablate.registry import scan
from ablate.training.assembly import assemble
from ablate.training.loop import run
from ablate.training.replicas import logits
from ablate.types import Site, Stack, Suite
from tests.training.test_stacking import final_logits

pytestmark = pytest.mark.slow

CATALOGUE = scan()
TORCH = Site("data", "cpu", compiled=False)
"""Where methods run by their torch forms, which agree bit for bit where they are one method."""
BASE = """
question: What is left of a method when its own term is switched off?
base:
  dataset: {{digits: {{tasks: 5, train_per_class: {rows}, test_per_class: 6}}}}
  model: {{mlp: {{widths: [7, 5]}}}}
  memory: {memory}
  optimizer: {{sgd: {{lr: 0.2, momentum: {momentum}}}}}
  training: {{standard: {{epochs: 1, steps: {steps}, batch_rows: {batch}, batches: {batches}}}}}
  method: {method}
precision: float64
seeds: {seeds}
"""
SOME, ALL = "{reservoir: {budget_rows: 9}}", "everything"
SMALL = {
    "dgr": "{dgr: {widths: [6], latent: 3}}",
    "rtf": "{rtf: {widths: [6], latent: 3}}",
    "rps-net": "{rps-net: {paths: 3, switch_tasks: 2}}",
    "mer": "{mer: {groups: 2, others: 2, within: 0.1, across: 0.3, rows_per_step: 3}}",
    "icarl": "{icarl: {review_rows: 4}}",
    "ewc": "{ewc: {review_rows: 4, strength: 1}}",
    "mas": "{mas: {review_rows: 4}}",
    "meta": "{meta: {update: maml, inner_steps: 2, loss: all-ce}}",
}


SHAPE = {
    "method": "replay",
    "memory": "none",
    "batches": "paired",
    "seeds": 1,
    "momentum": 0.9,
    "rows": 13,
    "steps": "null",
    "batch": 8,
}


def suite(method: str, memory: str = "none", batches: str = "paired", **shape: Any) -> Suite:
    """Read a suite of one arm."""
    said = {**SHAPE, "method": method, "memory": memory, "batches": batches, **shape}
    return parse_suite(BASE.format(**said).encode(), "m", "m.yaml", CATALOGUE)


def stack(asked: Suite) -> Stack:
    facts = look(asked, CATALOGUE, Path("data"), False)
    (only,) = plan(asked, CATALOGUE, facts, width=asked.seeds).stacks
    return only


def memory_of(name: str) -> str:
    """Give the memory that a method asks for, or none."""
    wants = {kind: ok for kind, _, ok, _ in CATALOGUE.get("method", name).facts.get("fits", ())}
    accepted = wants.get("memory", ("nothing",))
    return SOME if None in accepted else ALL if "everything" in accepted else "none"


@cache
def answer(
    method: str, memory: str = "none", batches: str = "paired", momentum: float = 0.9
) -> Any:
    """Train one seed and give its last logits `[N, C]`."""
    runs = stack(suite(method, memory, batches, momentum=momentum))
    return final_logits(runs, CATALOGUE, TORCH)[0]


STREAMS = {
    "paired": {"batches": "paired"},
    "natural": {"batches": "natural"},
    "balanced": {"batches": "balanced"},
    # classes of unequal size: seeds differ in the rows, and in the steps, of a task
    "unequal": {"batches": "paired", "rows": "null", "batch": 50},
    "steps": {"batches": "paired", "rows": "null", "batch": 50, "steps": 9},
}


@pytest.mark.parametrize("name", CATALOGUE.names("method"))
@pytest.mark.parametrize("stream", STREAMS)
def test_stacked_seeds_of_a_method_equal_each_seed_alone(name: str, stream: str) -> None:
    """To 1e-12 in float64; a reservoir leaves some tasks without exemplars."""
    if not CATALOGUE.get("method", name).facts.get("stackable", True):
        pytest.skip("it says that it does not stack")
    shape = {"seeds": 3, "momentum": 0.0, **STREAMS[stream]}
    whole = stack(suite(SMALL.get(name, name), memory_of(name), **shape))
    together = final_logits(whole, CATALOGUE)
    for s, one in enumerate(whole.runs):
        alone = final_logits(replace(whole, runs=(one,)), CATALOGUE)[0]
        assert float((together[s] - alone).abs().max()) < 1e-12 * max(1, float(alone.abs().max()))
    assert float((together[0] - together[1]).abs().max()) > 1e-3


OFF = [
    ("{ewc: {strength: 0}}", "fine-tune", "none"),
    ("{si: {strength: 0}}", "fine-tune", "none"),
    ("{mas: {strength: 0}}", "fine-tune", "none"),
    ("{lwf: {strength: 0}}", "fine-tune", "none"),
    ("{dgr: {new_share: 1, widths: [6], latent: 3}}", "fine-tune", "none"),
    ("{rtf: {new_share: 1, generative: 0, widths: [6], latent: 3}}", "fine-tune", "none"),
    ("{der++: {alpha: 0, beta: 0}}", "fine-tune", SOME),
    (
        "{rps-net: {paths: 1, switch_tasks: 9, distillation: 0, optimizer_state: kept}}",
        "replay",
        SOME,
    ),
    ("{icarl: {loss: softmax, distillation: 0, classifier: logits}}", "replay", SOME),
    ("{mer: {walk: batch, within: 1, across: 1, rows_per_step: 1000}}", "replay", SOME),
]


@pytest.mark.parametrize(("method", "plain", "memory"), OFF, ids=[one[0] for one in OFF])
def test_a_method_without_its_own_term_is_the_plain_one(
    method: str, plain: str, memory: str
) -> None:
    """The same logits; MER's rows come in another order, which a sum may feel at the last digit."""
    found = answer(method, memory)
    expected = answer(plain, "none" if plain == "fine-tune" else memory)
    assert float((found - expected).abs().max()) <= (1e-12 if "mer" in method else 0)
    name = method.strip("{").split(":")[0]
    assert float((answer(SMALL.get(name, name), memory) - expected).abs().max()) > 1e-4


def test_la_maml_without_inner_steps_is_replay_with_sgd() -> None:
    """Its rates are the learning rate of every parameter."""
    found = answer("{la-maml: {lr: 0.2, inner_steps: 0}}", SOME)
    expected = answer("replay", SOME, momentum=0.0)
    assert torch.allclose(found, expected, rtol=0, atol=1e-13)
    assert not torch.allclose(answer("{la-maml: {lr: 0.2}}", SOME), expected, atol=1e-3)


@pytest.mark.parametrize("method", ["gem", "a-gem", "der++"])
def test_methods_of_exemplars_are_fine_tuning_while_there_are_none(method: str) -> None:
    """In the first task; not in the second."""

    def after(name: str, memory: str, task: int) -> torch.Tensor:
        made = assemble(stack(suite(name, memory)), TORCH, CATALOGUE)
        x = torch.as_tensor(made.data.x_test).to(made.theta)
        ended = list(run(made.program, made.stream, made.theta))[task]
        return logits(made.program, ended.state, x)

    first = after(method, SOME, 0)
    assert torch.equal(first, after("fine-tune", "none", 0))
    assert not torch.allclose(after(method, SOME, 1), after("fine-tune", "none", 1), atol=1e-3)


def test_joint_training_with_natural_batches_reads_every_row() -> None:
    """Its steps in the last task are those of all 120 rows; restarting changes what is learnt."""
    made = assemble(stack(suite("joint", ALL, "natural")), TORCH, CATALOGUE)
    batches = list(made.stream.epochs(4, made.program.method)[0])
    for t in range(4):
        assert len(made.stream.quotas[t + 1][0]) == 2 * (t + 1)
    assert sum(float(batch.tasks.w.sum()) for batch in batches) == 130
    again = answer("{joint: {restart: true}}", ALL, "natural")
    assert not torch.allclose(again, answer("joint", ALL, "natural"), atol=1e-3)


REFUSED = [
    ("fine-tune", SOME, "method: replay"),
    ("replay", "none", "method: fine-tune"),
    ("replay", ALL, "method: joint"),
    ("joint", SOME, "memory: everything"),
    ("gem", "none", "takes a memory"),
    ("icarl", "none", "takes a memory"),
    ("replay", "{random: {budget_rows: 0}}", "method: fine-tune"),
    ("{meta: {update: joint, loss: all-ce, batches: natural}}", SOME, "training.standard.batches"),
]


@pytest.mark.parametrize(("method", "memory", "said"), REFUSED)
def test_combinations_without_sense_are_refused_when_the_suite_is_read(
    method: str, memory: str, said: str
) -> None:
    """With the place and the remedy."""
    with pytest.raises(SuiteError, match=said) as caught:
        suite(method, memory)
    assert caught.value.problems[0].line == 9


def test_a_base_says_training_and_optimizer_once_for_all_methods() -> None:
    """A method's own word goes before it; a kind that no method has is unknown."""
    own = suite("{replay: {optimizer: {adam: {lr: 0.5}}}}", SOME).variants[0].choices["method"]
    assert own.settings["optimizer"].label() == "adam(0.5, 0.9, 0.999, 1e-08, 0.0)"
    assert own.settings["training"].settings["batch_rows"] == 8
    text = BASE.format(**{**SHAPE, "memory": SOME})
    with pytest.raises(SuiteError, match="unknown kind 'trainings'"):
        parse_suite(text.replace("training:", "trainings:").encode(), "m", "m.yaml", CATALOGUE)


def test_a_distillation_of_zero_is_the_same_in_a_stack_as_alone() -> None:
    """Cells that differ in a number share a stack; so may one that switches a term off."""
    for name, small in (("icarl", "review_rows: 4"), ("rps-net", "paths: 2")):
        method = f"{{{name}: {{{small}}}}}"
        text = BASE.format(**{**SHAPE, "memory": SOME, "momentum": 0.0, "method": method})
        text += f"vary: {{method.{name}.distillation: [0.0, 1.0]}}\n"
        asked = parse_suite(text.encode(), "m", "m.yaml", CATALOGUE)
        facts = look(asked, CATALOGUE, Path("data"), False)
        (both,) = plan(asked, CATALOGUE, facts, width=2).stacks
        together = final_logits(both, CATALOGUE)
        for s, one in enumerate(both.runs):
            alone = final_logits(replace(both, runs=(one,)), CATALOGUE)[0]
            assert float((together[s] - alone).abs().max()) < 1e-12
        assert not torch.allclose(together[0], together[1], atol=1e-4)


def test_a_limit_of_reviewed_rows_is_kept_exactly() -> None:
    """Of 26 rows, ten in batches of four: the third has two."""
    made = assemble(stack(suite("{ewc: {review_rows: 4, review_limit: 10}}")), TORCH, CATALOGUE)
    seen = [float(one.tasks.w.sum()) for one in made.stream.review(0, made.program.method)]
    assert seen == [4, 4, 2]


@pytest.mark.parametrize("method", ["replay", "gem", "a-gem", "la-maml", "mer", "icarl"])
def test_batch_norm_meets_no_padding_and_survives_tasks_without_rows(method: str) -> None:
    """Short batches, absent tasks, shares without a row: everything stays finite."""
    text = BASE.format(**{**SHAPE, "method": SMALL.get(method, method), "memory": SOME})
    text = text.replace("{mlp: {widths: [7, 5]}}", "{conv4: {width: 4, norm: batch}}")
    asked = parse_suite(
        text.replace("batch_rows: 8", "batch_rows: 7").encode(), "m", "m.yaml", CATALOGUE
    )
    assert final_logits(stack(asked), CATALOGUE).isfinite().all()
    made = assemble(stack(asked), TORCH, CATALOGUE)
    for batch in made.stream.epochs(2, made.program.method)[0]:
        assert batch.sizes == tuple(int(n) for n in batch.tasks.w[0].sum(1))
