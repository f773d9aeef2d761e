"""What many seeds may not multiply: counted in calls and statements, on two sizes of one study."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

import cli
from ablate import flow
from ablate.plan import run_keys, standing
from ablate.records import cohort, provenance
from ablate.records.rows.counts import Tables
from ablate.records.store import open_store
from ablate.types import RunResult, Status
from tests.bench.simulated_store import simulate
from tests.records.earlier_layouts import to_layout_3

ARMS = 3


def counted(folder: Path, seeds: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Plan and analyse a simulated study; give how often what may not grow was done."""
    suite = simulate(folder, ARMS, seeds)
    counts = dict.fromkeys(("canonical", "statements", "facts", "code"), 0)

    def counting(name: str, module: object, function: str) -> None:
        real = getattr(module, function)

        def called(*values: object, **options: object) -> object:
            counts[name] += 1
            return real(*values, **options)

        monkeypatch.setattr(module, function, called)

    def stated(*_: object) -> None:
        counts["statements"] += 1

    with monkeypatch.context() as patch:
        monkeypatch = patch
        counting("canonical", run_keys, "canonical")
        counting("facts", cohort, "_of")
        counting("code", standing, "code_facts")
        sa.event.listen(sa.Engine, "before_cursor_execute", stated)
        with closing(open_store(folder / "results", create=False)) as store:
            suite = flow.open_suite(folder / "many.yaml")
            work = flow.prepare(suite, Path("data"), store)
            assert not work.stacks
            assert len(work.records) == ARMS * seeds
            assert len(flow.analyse(suite, store).verdicts) == ARMS - 1
        sa.event.remove(sa.Engine, "before_cursor_execute", stated)
    return counts


def test_nothing_but_the_records_grows_with_the_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Canonical texts of choices, statements to the database, what a record's facts are, code."""
    few = counted(tmp_path / "few", 8, monkeypatch)
    many = counted(tmp_path / "many", 24, monkeypatch)
    assert few == many
    assert all(count > 0 for count in few.values())


def test_what_runs_share_is_stored_once(tmp_path: Path) -> None:
    """A record holds its scores and its streams alone."""
    simulate(tmp_path, ARMS, 24)
    with closing(open_store(tmp_path / "results", create=False)) as store:
        suite = flow.open_suite(tmp_path / "many.yaml")
        records = flow.records(suite, store)
        assert all("packages" in record.provenance for record in records.values())
        assert {r.provenance["record_version"] for r in records.values()} == {
            provenance.RECORD_VERSION
        }
        link = sa.create_engine(f"sqlite:///{tmp_path / 'results' / 'runs.sqlite'}")
        with link.connect() as rows:
            assert rows.exec_driver_sql("SELECT count(*) FROM provenance").scalar() == 1
            query = "SELECT count(*) FROM runs WHERE record LIKE '%packages%'"
            assert rows.exec_driver_sql(query).scalar() == 0
        link.dispose()


def mixed(folder: Path) -> None:
    """Simulate a study, and let runs fail, be marked, lack a protocol and rest on other code."""
    suite = simulate(folder, ARMS, 12)
    with closing(open_store(folder / "results")) as store:
        first, second, third, *others = flow.records(suite, store).values()
        fewer = {label: first.right[label] for label in [*first.right][1:]}
        stale = [
            replace(result, provenance={**result.provenance, "engine": "another"})
            for result in others[::7]
        ]
        store.save(
            [
                replace(first, right=fewer, task_right=fewer),
                replace(second, status=Status.FAILED, reason="boom", right={}, task_right={}),
                replace(third, reason="ran away"),
                *stale,
            ]
        )


DAMAGE = (
    "UPDATE runs SET digest = NULL WHERE rowid = 8",
    "UPDATE runs SET seconds = 7.5 WHERE rowid = 9",
    "UPDATE runs SET record = replace(record, 'updates', 'update') WHERE rowid = 10",
)


def test_layouts_tell_the_same_of_damaged_stale_and_failed_runs(tmp_path: Path) -> None:
    """`plan`, `report` and `verify`: scores are bytes in one, text in the other."""
    mixed(tmp_path / "study")
    said, reports = [], []
    for layout in (3, 4):
        folder = tmp_path / f"layout-{layout}"
        shutil.copytree(tmp_path / "study", folder)
        path = folder / "results" / "runs.sqlite"
        if layout == 3:
            to_layout_3(path)
        with closing(sqlite3.connect(path)) as link:
            for change in DAMAGE:
                assert link.execute(change).rowcount == 1
            link.commit()
        suite, results = str(folder / "many.yaml"), str(folder / "results")
        report = folder / "results" / "many" / "report.md"
        for words in (
            ("plan", suite, "--why", "--results", results),
            ("report", suite, "--results", results),
            ("verify", str(report)),
        ):
            done = CliRunner().invoke(cli.main, words)
            said.append((layout, words[0], done.exit_code, done.output.replace(str(folder), "")))
        reports.append(report.read_text("utf-8").replace(str(folder), ""))
    assert [line[1:] for line in said[:3]] == [line[1:] for line in said[3:]]
    assert reports[0] == reports[1]
    plan, report_said, verified = (text for *_, text in said[3:])
    for words in ("3 records of runs.sqlite are damaged", "engine code changed", "boom", "lacks"):
        assert words in plan, plan
    assert "3 records of runs.sqlite are damaged" in report_said
    assert "Every number agrees with the store." in verified


def test_records_hold_their_scores_as_arrays(tmp_path: Path) -> None:
    """Lists of them took most of the memory of a report; of an earlier layout, too."""
    suite = simulate(tmp_path, ARMS, 4)
    for earlier in (False, True):
        if earlier:
            to_layout_3(tmp_path / "results" / "runs.sqlite")
        with closing(open_store(tmp_path / "results", create=False)) as store:
            assert all(map(has_arrays, flow.records(suite, store).values()))


def has_arrays(result: RunResult) -> bool:
    """Say whether a record's scores are bytes, a byte a count."""
    return all(
        isinstance(tables, Tables) and tables.counts.itemsize == 1
        for tables in (result.right, result.task_right)
    )
