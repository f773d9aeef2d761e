"""Which records answer today's runs, which go together, and what is said of those that do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablate import flow
from ablate.analysis import caveats
from ablate.commands import why
from ablate.core import resources
from ablate.errors import SourceError, StoreError
from ablate.plan import pending
from ablate.plan.run_keys import keys
from ablate.plan.standing import Current, Reason, is_done, reasons
from ablate.records import cohort, provenance
from ablate.records.store import Store, open_store
from ablate.types import RunResult, Site, Suite
from tests.conftest import record

ROOT = Path("data")
GRID = (
    ("seeds: 3", "vary: {method.meta.inner_steps: [1, 2]}\nseeds: 6"),
    ("metric: all-classes", "metric: all-classes"),
)

FACTS = {
    "engine": "e",
    "components": {"update.itaml": "u", "optimizer.sgd": "s"},
    "helpers": {"variants.model._blocks": "b"},
    "packages": {"torch": "2", "numpy": "2"},
}
TODAY = Current("d", FACTS, {"all-classes": "p"})
RESTS = {
    **FACTS,
    "record_version": provenance.RECORD_VERSION,
    "python": provenance.machine()["python"],
    "protocols": {"all-classes": "p"},
}


def changed(table: str, name: str, value: str) -> dict[str, Any]:
    return {table: {**RESTS[table], name: value}}


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"data": "other"}, "the data changed"),
        ({"engine": "other"}, "engine code changed"),
        ({"engine": "x", "protocols": {}, "record_version": 3}, "record version 3, now 6"),
        ({"python": "2.7.18"}, f"Python 2.7, now {cohort.python_of(provenance.machine())}"),
        (changed("components", "update.itaml", "x"), "component update.itaml changed"),
        (
            changed("helpers", "variants.model._blocks", "x"),
            "helper variants.model._blocks changed",
        ),
        ({"helpers": {}}, "helper variants.model._blocks changed"),
        (changed("packages", "torch", "1"), "torch 1, now 2"),
        ({"packages": {"torch": "2"}}, "numpy unknown, now 2"),
        ({"packages": "damaged"}, "torch unknown, now 2; numpy unknown, now 2"),
        (changed("protocols", "all-classes", "x"), "protocol all-classes changed"),
    ],
)
def test_a_stale_record_says_what_changed(facts: Mapping[str, Any], text: str) -> None:
    """It is run again, unless the user keeps it."""
    assert reasons(record(**RESTS), TODAY) == ()
    found = reasons(record(**{**RESTS, **facts}), TODAY)
    assert why.sentence(found) == text
    assert (is_done(found), is_done(found, keep=True)) == (False, True)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (None, "never run"),
        (record(status="failed"), "failed: why"),
        (replace(record(**RESTS), right={}), "lacks protocol all-classes"),
    ],
)
def test_what_has_no_scores_cannot_be_kept(entry: RunResult | None, text: str) -> None:
    """There is nothing to keep."""
    found = reasons(entry, TODAY)
    assert why.sentence(found) == text
    assert not is_done(found, keep=True)


@pytest.fixture
def studied(suite_of: Callable[..., Suite], tmp_path: Path) -> tuple[Suite, Store]:
    """Run a small suite for good."""
    suite, store = suite_of(), open_store(tmp_path / "results")
    work = flow.prepare(suite, ROOT, store)
    for _ in flow.run(work, store, Site("data", "cpu")):
        pass
    return suite, store


def edited(suite: Suite, store: Store, arms: tuple[int, ...], **facts: Any) -> dict[str, RunResult]:
    """Change what the records of some arms rest on."""
    wanted = [key for arm in arms for key in keys(suite)[arm]]
    records = {
        key: replace(entry, provenance={**entry.provenance, **facts})
        for key, entry in store.load(wanted).items()
    }
    store.save(records.values())
    return records


def older(suite: Suite, store: Store) -> dict[str, str]:
    entry = next(iter(store.load(keys(suite)[0]).values()))
    return {**entry.provenance["packages"], "torch": "1.0"}


def test_after_an_upgrade_runs_are_run_again_and_it_is_said_why(
    studied: tuple[Suite, Store],
) -> None:
    """Which records are of which version, and what replaces them."""
    suite, store = studied
    now = provenance.version_of("torch")
    edited(suite, store, (0,), packages=older(suite, store))
    work = flow.prepare(suite, ROOT, store)
    assert sum(len(stack.runs) for stack in work.stacks) == 3
    assert list(why.stale(work)) == [
        f"3 records are stale and will be replaced (torch 1.0, now {now}: 3); "
        "`plan --why` names them, --keep-stale keeps them."
    ]
    lines = list(why.why(work))
    assert lines[0] == f"3 to run: torch 1.0, now {now}\n    reptile: seeds 0 to 2"
    assert lines[1].startswith("3 done, resting on record version 6, engine ")
    assert f"torch {now}" in lines[1]
    assert lines[1].endswith("\n    balanced: seeds 0 to 2")


def test_records_of_two_versions_are_refused_with_the_groups_and_a_remedy(
    studied: tuple[Suite, Store],
) -> None:
    """On the first screen, before any number."""
    suite, store = studied
    now = provenance.version_of("torch")
    edited(suite, store, (0,), packages=older(suite, store))
    study = flow.analyse(suite, store)
    (verdict,) = study.verdicts
    assert verdict.decision == "UNTESTABLE"
    assert verdict.comparison.refusal == f"torch differs (1.0 and {now})"
    heads = [caveat.head for caveat in study.caveats]
    assert heads == ["These records do not go together.", "3 runs:", "3 runs:"]
    assert "`plan --why` names them" in study.caveats[0].advice
    assert study.caveats[1].text == "torch 1.0 (reptile: seeds 0 to 2)"
    text = resources.module("reports.write").text(study)
    assert text.index("**These records do not go together.**") < text.index("## Arms")


def test_stale_runs_that_are_kept_pair_among_themselves_and_it_is_said_in_bold(
    studied: tuple[Suite, Store],
) -> None:
    """One arm alone stays UNTESTABLE; both are a study of the old version."""
    suite, store = studied
    for arms, refused in (((0,), True), ((1,), False)):
        edited(suite, store, arms, packages=older(suite, store))
        work = flow.prepare(suite, ROOT, store, keep=True)
        assert work.stacks == ()
        stale = pending.stale_ones(work.reasons, work.records, work.stacks)
        assert set(stale) == work.kept
        caveats.keep(suite, store, stale, work.kept)
        study = flow.analyse(suite, store)
        assert bool(study.verdicts[0].comparison.refusal) is refused
    head = study.caveats[0].head
    assert head == "6 runs were kept although they are stale (`--keep-stale`)."
    assert f"**{head}** Since they were run: torch 1.0" in resources.module("reports.write").text(
        study
    )
    # replaced, they are kept no longer, whatever the note says
    edited(suite, store, (0, 1), packages=provenance.machine()["packages"])
    assert flow.analyse(suite, store).caveats == ()


def test_a_worker_that_loaded_other_code_stops_the_run(studied: tuple[Suite, Store]) -> None:
    """Its records say what it loaded; the parent does not go on as if nothing were."""
    suite, store = studied
    (stack, _) = flow.prepare(suite, ROOT, None).plan.stacks
    results = list(store.load([run.key for run in stack.runs]).values())
    pending.same_code(stack, results)
    results[0] = replace(results[0], provenance={**results[0].provenance, "engine": "other"})
    with pytest.raises(SourceError, match=r"changed during the run \(engine\)"):
        pending.same_code(stack, results)
    assert pending.same_code(stack, [replace(results[0], status="failed")]) is None


def test_a_damaged_record_is_a_reason(studied: tuple[Suite, Store]) -> None:
    """Not taken for a run that never was."""
    suite, store = studied
    with store._engine.begin() as link:
        link.exec_driver_sql("UPDATE runs SET seconds = 1e9 WHERE seed = 1")
    work = flow.prepare(suite, ROOT, store)
    assert next(why.why(work)) == ("2 to run: its record is damaged\n    reptile, balanced: seed 1")


def test_280_runs_are_told_in_a_few_lines(suite_of: Callable[..., Suite]) -> None:
    """Like runs share a line, whichever arms they are of."""
    suite = replace(suite_of(), seeds=140, declared_seeds=140)
    work = flow.prepare(suite, ROOT, None)
    assert len(work.plan.runs) == 280
    assert list(why.why(work)) == ["280 to run: never run\n    all 2 arms and seeds"]


# --- everything built on records ----------------------------------------------------------------


def grid(suite_of: Callable[..., Suite], store: Store, **facts: Any) -> Suite:
    """Store made-up records of a grid of two axes, of which the first arm's have other facts."""
    suite = suite_of(*GRID)
    store.save(
        record(
            seed,
            right=[[8, 0], [7 - place, (3 * seed + place) % 5]],
            key=key,
            **{**RESTS, **(facts if place == 0 else {})},
        )
        for place, row in enumerate(keys(suite))
        for seed, key in enumerate(row)
    )
    return suite


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"engine": "other"}, "engine differs (other and e)"),
        ({"packages": {"torch": "2", "numpy": "1"}}, "numpy differs (1 and 2)"),
        ({"packages": {"torch": "2", "numpy": "2", "scipy": "1"}}, "scipy differs (1 and None)"),
        ({"python": "2.7.18"}, "Python differs (2.7 and "),
        ({"helpers": {"variants.model._blocks": "x"}}, "variants.model._blocks was changed"),
        ({"protocols": {"all-classes": "x"}}, "all-classes was changed"),
        ({"device": "cuda"}, "device differs (cuda and cpu)"),
        ({"record_version": 3}, "record_version differs (3 and 6)"),
        ({"data": "other"}, "data of digits(5, seeded, None, None) differs (other and d)"),
        ({"streams": {"init": "other"}}, "the init stream differs"),
        ({"streams": {}}, "a record has no stream digests"),
    ],
)
def test_what_contrasts_refuse_nothing_else_believes(
    facts: Mapping[str, Any], text: str, suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Shares of variance, ranks, means, curves: one rule for all."""
    whole = open_store(tmp_path / "whole")
    study = flow.analyse(grid(suite_of, whole), whole)
    assert study.importance
    assert study.settings
    assert all(arm.curve for arm in study.arms)
    mixed = open_store(tmp_path / "mixed")
    study = flow.analyse(grid(suite_of, mixed, **facts), mixed)
    assert study.verdicts[0].decision == "UNTESTABLE"
    assert (study.importance, study.settings) == ((), ())
    told = next(c for c in study.caveats if c.head == "These records do not go together.")
    assert text in told.text
    assert not study.arms[0].curve
    assert study.arms[0].values["all-classes"].n == 0
    assert study.measured(study.suite.variants[0], "all-classes").n == 0
    groups = cohort.groups(suite_of(*GRID).variants, study.runs)
    assert {bool(arm.curve) for arm in study.arms[1:]} == {len(groups) > 1}


def test_an_arm_of_two_versions_has_no_mean(suite_of: Callable[..., Suite], tmp_path: Path) -> None:
    """Nor is its mean held against a published figure."""
    store = open_store(tmp_path)
    suite = grid(suite_of, store)
    first = keys(suite)[0][0]
    (entry,) = store.load([first]).values()
    store.save([replace(entry, provenance={**entry.provenance, "engine": "other"})])
    study = flow.analyse(suite, store)
    assert study.arms[0].values["all-classes"].n == 0
    assert study.measured(suite.variants[0], "all-classes").n == 0
    assert study.arms[1].values["all-classes"].n == 6


def test_arms_of_two_data_sets_are_one_study(
    suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Ranks over data sets are what they are for; each data set must be one."""
    suite = suite_of(("seeds: 3", "vary: {dataset.digits.tasks: [5, 2]}\nseeds: 6"))
    store = open_store(tmp_path)
    store.save(
        record(
            seed,
            right=[[8, 0], [7, (3 * seed + place) % 5]],
            key=key,
            **{**RESTS, "data": str(suite.variants[place].cell)},
        )
        for place, row in enumerate(keys(suite))
        for seed, key in enumerate(row)
    )
    study = flow.analyse(suite, store)
    assert study.caveats == ()
    assert study.settings


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("study:tiny", "{}"),
        ("study:tiny", "no JSON"),
        ("study:tiny", '{"declared": {"looks": [1e9]}, "digest": 5}'),
        ("kept:tiny", '{"runs": {"a": 5}}'),
        ("kept:tiny", "[]"),
    ],
)
def test_a_note_that_has_not_its_form_is_an_error_with_its_place(
    key: str, text: str, suite_of: Callable[..., Suite], tmp_path: Path
) -> None:
    """Whatever somebody wrote there."""
    store = open_store(tmp_path)
    store.note({key: text})
    with pytest.raises(StoreError, match=f"the store's note '{key}' cannot be read: "):
        flow.analyse(suite_of(), store)


def test_a_note_on_inert_arms_has_a_form(
    suite_of: Callable[..., Suite], catalogue: Any, tmp_path: Path
) -> None:
    """It is read by every report."""
    suite, store = suite_of(), open_store(tmp_path)
    store.note({pending.pair_key(suite, suite.contrasts[0], catalogue): '{"tied": 5}'})
    with pytest.raises(StoreError, match="tied: Input should be a valid string"):
        flow.analyse(suite, store)


def test_reasons_are_values() -> None:
    """Equal where they say the same, so that like runs can be grouped."""
    assert Reason("never run", stale=False) == reasons(None, TODAY)[0]
