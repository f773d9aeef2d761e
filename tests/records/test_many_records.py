"""What many seeds may not multiply: counted in calls and statements, on two sizes of one study."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from ablate import flow
from ablate.plan import run_keys, standing
from ablate.records import cohort, provenance
from ablate.records.store import open_store
from tests.bench.simulated_store import simulate

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
