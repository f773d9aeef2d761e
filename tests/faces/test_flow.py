"""From suite to verdict: what is run, what is kept, what is run again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.commands.progress import Progress
from ablate.errors import DataError, SelectionError, SuiteError
from ablate.plan.pending import select
from ablate.records.cohort import merged
from ablate.records.store import Store, open_store
from ablate.registry import Catalogue
from ablate.source import closure
from ablate.types import RunResult, Site, Suite

pytestmark = pytest.mark.slow

HERE = Site("data", "cpu")
ROOT = Path("data")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "results")


def run(suite: Suite, store: Store, workers: int = 1, **options: Any) -> list[RunResult]:
    """Run what is left, and give what was run."""
    work = flow.prepare(suite, ROOT, store, **options)
    with flow.crew(workers, inline=workers == 1) as crew:
        return [result for event in flow.run(work, store, HERE, crew) for result in event.results]


def plain(study: flow.Study) -> list[dict[str, Any]]:
    """Give a study's records without what differs between two equal runs: the seconds."""
    return [{**asdict(r), "seconds": 0} for runs in study.runs for r in runs.values()]


def test_a_second_run_does_nothing(suite_of: Callable[..., Suite], store: Store) -> None:
    """Everything is there already."""
    assert len(run(suite_of(), store)) == 6
    assert run(suite_of(), store) == []


def test_more_seeds_run_only_the_new_ones(suite_of: Callable[..., Suite], store: Store) -> None:
    """Two more for each of two arms."""
    run(suite_of(), store)
    more = run(replace(suite_of(), seeds=5), store)
    assert sorted((r.seed) for r in more) == [3, 3, 4, 4]


def test_a_new_arm_runs_alone(suite_of: Callable[..., Suite], store: Store) -> None:
    """The others' keys have not changed."""
    run(suite_of(), store)
    wider = suite_of(("  reptile: {}", "  reptile: {}\n  itaml: {method.meta.update: itaml}"))
    assert len(run(wider, store)) == 3


def test_fresh_runs_everything_again(suite_of: Callable[..., Suite], store: Store) -> None:
    """With the same outcome."""
    first = run(suite_of(), store)
    again = run(suite_of(), store, fresh=True)
    assert [r.right for r in first] == [r.right for r in again]
    assert len(again) == 6


def test_failed_runs_are_tried_again_and_diverged_ones_are_not(
    suite_of: Callable[..., Suite], store: Store
) -> None:
    """A divergence is a result."""
    results = run(suite_of(), store)
    diverged = replace(results[1], status="diverged", right={}, task_right={})
    store.save([replace(results[0], status="failed"), diverged])
    assert [r.key for r in run(suite_of(), store)] == [results[0].key]


def test_records_of_other_data_do_not_count(suite_of: Callable[..., Suite], store: Store) -> None:
    """A changed data file means another study."""
    results = run(suite_of(), store)
    old = replace(results[0], provenance={**results[0].provenance, "data": "another digest"})
    store.save([old])
    assert [r.key for r in run(suite_of(), store)] == [old.key]


@pytest.mark.parametrize("fact", ["engine", "components"])
def test_records_of_other_code_do_not_count(
    fact: str, suite_of: Callable[..., Suite], store: Store
) -> None:
    """An edited component is run again, not mixed with what it was."""
    results = run(suite_of(), store)
    store.save([replace(results[0], provenance={**results[0].provenance, fact: "older"})])
    assert [r.key for r in run(suite_of(), store)] == [results[0].key]


def test_scores_of_an_edited_protocol_do_not_count(
    suite_of: Callable[..., Suite], store: Store
) -> None:
    """The training has not changed, but its score has."""
    results = run(suite_of(), store)
    older = {**results[0].provenance["protocols"], "continuum(20)": "older"}
    store.save([replace(results[0], provenance={**results[0].provenance, "protocols": older})])
    assert [r.key for r in run(suite_of(), store)] == [results[0].key]
    assert run(suite_of(), store) == []


def test_a_code_digest_sees_what_presets_stand_for(
    suite_of: Callable[..., Suite], catalogue: Catalogue
) -> None:
    """`reptile` runs gather.mean, step.fixed and update.outer; comments do not count."""
    used = catalogue.used(suite_of().variants[0].choices["method"])
    assert {"update.reptile", "update.outer", "gather.mean", "step.fixed", "optimizer.sgd"} <= set(
        used
    )


def test_comments_and_docstrings_are_no_part_of_the_code() -> None:
    """What it does is."""
    texts = (
        "def f():\n    return 1\n",
        '"""Words."""\n\n\ndef f():  # why\n    """More."""\n    return 1\n',
        "def f():\n    return 2\n",
    )
    digests = [closure.code_digest(text.encode()) for text in texts]
    assert digests[0] == digests[1] != digests[2]
    assert closure.code_digest(b"\x00\x01") not in digests


def test_suites_that_share_runs_keep_each_others_protocols(
    suite_of: Callable[..., Suite], store: Store
) -> None:
    """One scores by chunks of 3, the other by chunks of 7; neither costs the other its records."""
    three, seven = (
        suite_of(("  balanced: {", f"  balanced: {{predict: {{continuum: {{rows: {rows}}}}}, "))
        for rows in (3, 7)
    )
    run(three, store)
    run(seven, store)
    assert run(three, store) == []
    assert run(seven, store) == []


def test_a_failed_repetition_does_not_borrow_scores() -> None:
    """Only the same run is merged."""
    from tests.conftest import record

    old = record()
    assert merged(old, replace(old, status="failed")).status == "failed"
    assert merged(None, old) == old
    other = replace(old, right={"known-task": old.right["all-classes"]}, provenance={"data": "x"})
    assert set(merged(old, other).right) == {"known-task"}
    same = replace(other, provenance=old.provenance)
    assert set(merged(old, same).right) == {"all-classes", "known-task"}
    # the newer score of a protocol counts, and the digests of all are kept
    first, second = (
        replace(
            old, right={label: old.right["all-classes"]}, provenance={"protocols": {label: "d"}}
        )
        for label in ("a", "b")
    )
    assert merged(first, second).provenance["protocols"] == {"a": "d", "b": "d"}


def test_a_protocol_that_a_record_lacks_is_run_for(
    suite_of: Callable[..., Suite], store: Store
) -> None:
    """Logits are not kept, so the run is repeated."""
    run(suite_of(), store)
    wider = suite_of(("  balanced: {", "  balanced: {predict: {continuum: {rows: 7}}, "))
    assert len(run(wider, store)) == 6


def test_arms_that_differ_in_scoring_share_their_runs(
    suite_of: Callable[..., Suite], store: Store
) -> None:
    """Three runs for two arms; `accuracy` is each arm's own."""
    suite = suite_of(
        ("method.meta.update: balanced", "predict: known-task"),
        ("metric: all-classes", "metric: accuracy"),
    )
    assert len(run(suite, store)) == 3
    (verdict,) = flow.analyse(suite, store).verdicts
    assert all(delta < 0 for delta in verdict.comparison.deltas)


def test_workers_and_repetition_change_no_record(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Bit for bit, with one worker in this process or two of their own."""
    studies = []
    for name, workers in (("one", 1), ("again", 1), ("two", 2)):
        store = open_store(tmp_path / name)
        run(suite_of(), store, workers)
        studies.append(plain(flow.analyse(suite_of(), store)))
    assert studies[0] == studies[1] == studies[2]


def test_records_say_what_they_depend_on(suite_of: Callable[..., Suite], store: Store) -> None:
    """Packages, code, machine, threads, width, data and streams."""
    facts = run(suite_of(), store)[0].provenance
    assert {"packages", "git", "cpu", "threads", "stack_width", "data", "streams", "engine"} <= set(
        facts
    )
    assert (facts["threads"], facts["stack_width"], facts["device"]) == (1, 3, "cpu")
    assert {"init", "order", "batch", "memory", "class order"} <= set(facts["streams"])


def test_costs_are_counted_for_each_seed_not_for_the_stack(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Seeds of differing class sizes take differing numbers of steps, stacked or alone."""
    suite = replace(suite_of(("batch_rows: 64", "batch_rows: 3")), seeds=4)
    together = run(suite, open_store(tmp_path / "together"))
    alone = run(suite, open_store(tmp_path / "alone"), only=["seed=2"])
    costs = {result.key: (result.updates, result.gradients) for result in together}
    assert len(set(costs.values())) > 1
    assert all(costs[result.key] == (result.updates, result.gradients) for result in alone)


def test_same_seed_same_draws_in_every_arm(suite_of: Callable[..., Suite], store: Store) -> None:
    """The seed is the pairing key by construction."""
    by_seed: dict[int, set[str]] = {}
    for result in run(suite_of(), store):
        by_seed.setdefault(result.seed, set()).add(str(result.provenance["streams"]))
    assert [len(found) for found in by_seed.values()] == [1, 1, 1]
    assert len(set.union(*by_seed.values())) == 3


def test_only_selects_by_arm_label_and_seed(suite_of: Callable[..., Suite]) -> None:
    """Wildcards; names of one sort add up, of two sorts restrict."""
    suite = suite_of(("seeds: 3", "vary: {method.meta.inner_steps: [1, 4]}\nseeds: 3"))
    assert len(select(suite, ["reptile"])) == 6
    assert len(select(suite, ["*= 4"])) == 6
    assert select(suite, ["reptile, inner_steps = 4", "seed=2"]) == {(2, 2)}
    assert len(select(suite, ["seed=0", "seed=1"])) == 8
    assert len(select(suite, [])) == 12
    with pytest.raises(
        SelectionError, match=r"'reptil' fits no run\. Labels: balanced, inner_steps = 1"
    ):
        select(suite, ["reptil"])


def test_only_runs_what_was_selected(suite_of: Callable[..., Suite], store: Store) -> None:
    """The rest stays to be run, and the verdict says so."""
    assert {r.seed for r in run(suite_of(), store, only=["seed=1"])} == {1}
    (verdict,) = flow.analyse(suite_of(), store).verdicts
    assert verdict.decision == "UNTESTABLE"
    assert verdict.comparison.lost[0].missing


def test_missing_data_stop_a_plan(suite_of: Callable[..., Suite], tmp_path: Path) -> None:
    """Before anything is run."""
    with pytest.raises(DataError, match="MNIST is not in the data root"):
        flow.prepare(suite_of(("digits", "mnist")), tmp_path, None)


def test_tasks_that_do_not_come_out_even_stop_a_plan(suite_of: Callable[..., Suite]) -> None:
    """With the numbers that would."""
    with pytest.raises(SuiteError, match=r"tiny.yaml:4:29: 10 classes in 3 tasks.*: 1, 2, 5, 10"):
        flow.prepare(suite_of(("tasks: 5", "tasks: 3")), ROOT, None)


def test_progress_counts_and_estimates(suite_of: Callable[..., Suite], store: Store) -> None:
    """Runs done, the time left, each contrast's mean so far."""
    suite = suite_of()
    work = flow.prepare(suite, ROOT, store)
    progress = Progress(suite, work)
    assert (progress.total, progress.done, progress.seconds_left()) == (6, 0, float("inf"))
    assert progress.running == 3
    assert Progress(suite, work, workers=2).running == 6
    for event in flow.run(work, store, HERE):
        progress = progress.after(event)
    assert progress.line().startswith("6 of 6 runs done, 0 running, 0 lost, about 0 s left")
    ((label, pairs, estimate),) = progress.estimates()
    assert (label, pairs) == ("reptile − balanced", 3)
    assert estimate.endswith("points")


def test_a_killed_worker_costs_no_run(suite_of: Callable[..., Suite], store: Store) -> None:
    """Its stack is tried again, cut in two; the records say so, and score what they would have."""
    suite = suite_of(
        ("epochs: 1", "epochs: 3000"),
        ("balanced: {method", "balanced: {training.standard.epochs: 1, method"),
    )
    work = flow.prepare(suite, ROOT, store)
    slow = next(
        s
        for s in work.stacks
        if s.runs[0].choices["method"].settings["training"].settings["epochs"] == 3000
    )
    killed = False
    statuses = {}
    with flow.crew(2) as crew:
        for event in flow.run(work, store, HERE, crew):
            statuses |= {result.key: result for result in event.results}
            if not killed:
                killed = _kill_a_busy_child()
    assert [r.status for r in statuses.values()] == ["ok"] * 6
    lost = {r.key for r in statuses.values() if r.provenance.get("losses")}
    assert lost == {run.key for run in slow.runs}
    assert flow.prepare(suite, ROOT, store).stacks == ()


def _kill_a_busy_child() -> bool:
    """Kill the pool's worker that has used the processor last."""
    import psutil

    workers = [
        child
        for child in psutil.Process().children(recursive=True)
        if "executors.worker" in " ".join(child.cmdline())
    ]
    before = {child.pid: sum(child.cpu_times()[:2]) for child in workers}
    time.sleep(0.5)
    busiest = max(workers, key=lambda child: sum(child.cpu_times()[:2]) - before[child.pid])
    os.kill(busiest.pid, signal.SIGKILL)
    return True


def test_stopping_early_stops_the_workers(suite_of: Callable[..., Suite], store: Store) -> None:
    """Closing the events, as Ctrl-C does, does not wait for stacks nobody wants."""
    suite = suite_of(
        ("epochs: 1", "epochs: 2000"),
        ("balanced: {method", "balanced: {training.standard.epochs: 1, method"),
    )
    work = flow.prepare(suite, ROOT, store)
    with flow.crew(2) as crew:
        events = flow.run(work, store, HERE, crew)
        next(events)
        started = time.monotonic()
        events.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 30
    assert len(store.load(work.plan.runs)) == 3
