"""Stores that something damaged: refused, or read with the damage counted; never believed."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.errors import StoreError
from ablate.records import store as stores
from ablate.records.provenance import RECORD_VERSION
from ablate.records.store import Store, open_store
from ablate.types import RunResult
from tests.conftest import record
from tests.records.earlier_layouts import whole_record

CASES = 60
"""Damaged stores of a test run; a thousand and more were tried by hand, by raising this."""

KEYS = [f"{place:032x}" for place in range(40)]
NOTES = {"study:tiny": '{"declared": {}, "digest": "d"}', "inert": '{"tied": "", "reason": "r"}'}
LOSSES = ("deleted rows", "deleted tables", "empty", "no file", "deleted notes")
"""Kinds of damage after which a row is not there, as if it had never been written."""

Random = random.Random


def originals() -> dict[str, RunResult]:
    return {
        key: replace(
            record(
                seed,
                right=[[8, 0], [6, seed % 10]],
                task_right=[[10, 0], [8, 10]],
                key=key,
                record_version=RECORD_VERSION,
                status="diverged" if seed % 9 == 8 else "ok",
            ),
            curves=[{"epochs": 1, "at": [1], "rows": 9, "loss": [0.5], "right": [seed % 10]}],
        )
        for seed, key in enumerate(KEYS)
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    store = open_store(folder)
    store.save(originals().values())
    store.note(NOTES)
    store.close()
    return folder


def sql(path: Path, *commands: str) -> None:
    link = sqlite3.connect(path)
    for command in commands:
        link.execute(command)
    link.commit()
    link.close()


def some(rng: Random) -> str:
    return f"key = '{rng.choice(KEYS)}'"


def flipped(rng: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    start = rng.choice([0, 0, 100])
    for _ in range(rng.randint(1, 6)):
        content[rng.randrange(start, len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def flipped_in_a_row(rng: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    # the end of the text, the digests, the counts
    places = [i for i in range(len(content)) if content[i : i + 11] == b'"updates": ']
    content[rng.choice(places) + rng.randrange(60)] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def truncated(rng: Random, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(1, len(content))])


def zeroed_pages(rng: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    page = 4096 * rng.randrange(len(content) // 4096)
    content[page : page + 4096] = bytes(4096)
    path.write_bytes(content)


def swapped_pages(rng: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    a, b = (4096 * page for page in rng.sample(range(1, len(content) // 4096), 2))
    content[a : a + 4096], content[b : b + 4096] = content[b : b + 4096], content[a : a + 4096]
    path.write_bytes(content)


def appended(rng: Random, path: Path) -> None:
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randint(1, 9000)))


def edited_json(rng: Random, path: Path) -> None:
    old, new = rng.choice(
        [
            ("[10, 10]", "[10, 11]"),
            ('["all-classes"]', "[]"),
            ("10", "0"),
            ("ok", "okay"),
            ("2", "3"),
            ('"d"', '"e"'),
            ("{", "["),
            ("10", "1e999"),
            ("10", "true"),
            ("protocols", "protocol"),
        ]
    )
    sql(path, f"UPDATE runs SET record = replace(record, '{old}', '{new}') WHERE {some(rng)}")


def edited_counts(rng: Random, path: Path) -> None:
    new = rng.choice(
        [
            "NULL",
            "x''",
            "x'0800060008000800'",
            "x'08000600080008000a000a0000000000'",
            "CAST(counts AS TEXT)",
            "substr(counts, 2)",
            "counts || x'00'",
            "8",
        ]
    )
    change = f"UPDATE runs SET counts = {new} WHERE {some(rng)} AND status = 'ok'"
    sql(path, change)


def swapped_rows(rng: Random, path: Path) -> None:
    a, b = rng.sample(KEYS, 2)
    column = rng.choice(["record", "digest", "seed", "seconds", "status", "counts"])
    get = f"(SELECT {column} FROM temp.old WHERE key = "
    sql(
        path,
        "CREATE TEMP TABLE old AS SELECT * FROM runs",
        f"UPDATE runs SET {column} = {get}'{b}') WHERE key = '{a}'",
        f"UPDATE runs SET {column} = {get}'{a}') WHERE key = '{b}'",
    )


def swapped_keys(rng: Random, path: Path) -> None:
    a, b = rng.sample(KEYS, 2)
    sql(
        path,
        f"UPDATE runs SET key = 'x' WHERE key = '{a}'",
        f"UPDATE runs SET key = '{a}' WHERE key = '{b}'",
        f"UPDATE runs SET key = '{b}' WHERE key = 'x'",
    )


def deleted_rows(rng: Random, path: Path) -> None:
    sql(path, f"DELETE FROM runs WHERE {some(rng)}")


def changed_key(rng: Random, path: Path) -> None:
    new = rng.choice(["'z'", "'" + KEYS[0][:31] + "'", "5", "x'ff'", "CAST(x'ff41' AS TEXT)"])
    sql(path, f"UPDATE runs SET key = {new} WHERE {some(rng)}")


def bad_text(rng: Random, path: Path) -> None:
    column = rng.choice(["record", "status", "finished", "digest"])
    sql(path, f"UPDATE runs SET {column} = CAST(x'80ff00fe' AS TEXT) WHERE {some(rng)}")


def bad_note(rng: Random, path: Path) -> None:
    change = rng.choice(
        [
            "text = 'x'",
            "text = CAST(x'ff' AS TEXT)",
            "key = 'other'",
            "digest = NULL",
            "text = 5",
            "key = CAST(x'ff' AS TEXT)",
            "text = '{}'",
        ]
    )
    sql(path, f"UPDATE notes SET {change} WHERE key = 'study:tiny'")


def wrong_types(rng: Random, path: Path) -> None:
    column = rng.choice(["seed", "status", "finished", "seconds", "record", "digest", "counts"])
    value = rng.choice(["'x'", "5", "x'00ff'", "1.5", "-9223372036854775808", "'nan'", "1e308"])
    sql(path, f"UPDATE runs SET {column} = {value} WHERE {some(rng)}")


def journals(rng: Random, path: Path) -> None:
    ending = rng.choice(["-journal", "-wal", "-shm"])
    magic = bytes.fromhex("d9d505f920a163d7")
    content = rng.choice(
        [
            rng.randbytes(3000),
            b"",
            path.read_bytes(),
            magic + rng.randbytes(600),
            magic
            + bytes.fromhex("00000001")
            + rng.randbytes(8)
            + (10).to_bytes(4, "big")
            + (512).to_bytes(4, "big")
            + (4096).to_bytes(4, "big")
            + bytes(484)
            + rng.randbytes(4104),
        ]
    )
    Path(f"{path}{ending}").write_bytes(content)


def curves(rng: Random, path: Path) -> None:
    """How runs learnt, on which no record rests."""
    sql(
        path,
        rng.choice(
            [
                "UPDATE curves SET text = '[]'",
                "UPDATE curves SET text = CAST(x'ff' AS TEXT)",
                "UPDATE curves SET digest = NULL",
                "DELETE FROM curves",
                "DROP TABLE curves",
                "ALTER TABLE curves RENAME COLUMN key TO lock",
            ]
        ),
    )


def shared_text(rng: Random, path: Path) -> None:
    """What runs rest on, once for all of them that share it."""
    sql(
        path,
        rng.choice(
            [
                "UPDATE provenance SET text = replace(text, 'cpu', 'gpu')",
                "UPDATE provenance SET text = '{}'",
                "UPDATE provenance SET text = CAST(x'ff' AS TEXT)",
                "UPDATE provenance SET text = x'00'",
                "UPDATE provenance SET digest = 'other'",
                "DELETE FROM provenance",
                "DROP TABLE provenance",
                f"UPDATE runs SET rests_on = NULL WHERE {some(rng)}",
                f"UPDATE runs SET rests_on = 'other' WHERE {some(rng)}",
                f"UPDATE runs SET rests_on = 5 WHERE {some(rng)}",
            ]
        ),
    )


def layout(rng: Random, path: Path) -> None:
    sql(
        path,
        rng.choice(
            [
                "UPDATE layout SET version = 99",
                "UPDATE layout SET version = 1",
                "UPDATE layout SET version = 3",
                "UPDATE layout SET version = -3",
                "DELETE FROM layout",
                "INSERT INTO layout VALUES (7)",
                "ALTER TABLE runs RENAME COLUMN record TO data",
                "ALTER TABLE runs DROP COLUMN digest",
                "ALTER TABLE runs DROP COLUMN rests_on",
                "ALTER TABLE runs DROP COLUMN counts",
                "UPDATE layout SET version = 3",
                "UPDATE layout SET version = 2",
                "ALTER TABLE runs ADD COLUMN more TEXT",
                "CREATE TABLE theirs (a)",
                "PRAGMA application_id = 77",
                "PRAGMA application_id = 0",
                "DROP TABLE layout",
                "PRAGMA user_version = 9",
                "ALTER TABLE runs RENAME TO walks",
            ]
        ),
    )


def deleted_tables(rng: Random, path: Path) -> None:
    sql(path, f"DROP TABLE {rng.choice(['runs', 'notes'])}")


def deleted_notes(rng: Random, path: Path) -> None:
    sql(path, "DELETE FROM notes WHERE key = 'study:tiny'")


def another_programs(rng: Random, path: Path) -> None:
    path.unlink()
    sql(
        path,
        f"PRAGMA application_id = {rng.choice([0, 7, 252006674])}",
        f"PRAGMA journal_mode = {rng.choice(['wal', 'delete'])}",
        rng.choice(
            [
                "CREATE TABLE moz_places (id INTEGER, url TEXT)",
                "CREATE TABLE runs (id INTEGER, name TEXT)",
                "CREATE TABLE layout (version TEXT)",
                "CREATE VIEW runs AS SELECT 1 AS key",
            ]
        ),
    )


def no_file(rng: Random, path: Path) -> None:
    path.unlink()
    if rng.random() < 0.5:
        path.mkdir()


def empty(rng: Random, path: Path) -> None:
    path.write_bytes(b"")


def noise(rng: Random, path: Path) -> None:
    path.write_bytes(rng.choice([b"", b"SQLite format 3\0"]) + rng.randbytes(rng.randint(1, 9000)))


KINDS: tuple[Callable[[Random, Path], None], ...] = (
    *(flipped, flipped_in_a_row, truncated, zeroed_pages, swapped_pages, appended, edited_json),
    *(swapped_rows, swapped_keys, deleted_rows, changed_key, bad_text, bad_note, wrong_types),
    edited_counts,
    *(
        shared_text,
        curves,
        journals,
        layout,
        deleted_tables,
        deleted_notes,
        another_programs,
        no_file,
        empty,
        noise,
    ),
)


def read(folder: Path, write: bool) -> tuple[dict[str, RunResult], dict[str, str], Store] | None:
    """Open and read a store; None where it is refused."""
    try:
        store = open_store(folder, create=write)
    except StoreError:
        return None
    try:
        return store.load(KEYS), store.notes(NOTES), store
    except StoreError:
        store.close()
        return None


def misread(folder: Path, kind: str, write: bool) -> str:
    """Say what was believed of a damaged store that should not have been; '' where nothing."""
    whole = originals()
    content = read(folder, write)
    if content is None:
        return ""
    records, texts, store = content
    damage = store.damage
    store.close()
    altered = [key for key in records if records[key] != whole[key]]
    lost = len(whole) - len(records)
    unsaid = lost > len(damage.runs) and kind not in LOSSES
    notes_altered = [key for key in texts if texts[key] != NOTES[key]]
    notes_unsaid = len(NOTES) - len(texts) > len(damage.notes) and kind not in LOSSES
    faults = (altered, unsaid, notes_altered, notes_unsaid)
    return f"{faults} {damage}" if any(faults) else ""


def faults_of(case: int, template: Path, folder: Path) -> str:
    """Damage a store and read it, first without and then with the right to write."""
    rng = Random(case)
    kind = KINDS[case % len(KINDS)]
    shutil.copytree(template, folder)
    path = folder / "runs.sqlite"
    kind(rng, path)
    name = kind.__name__.replace("_", " ")
    before = path.read_bytes() if path.is_file() else b""
    fault = misread(folder, name, write=False)
    if path.is_file() and path.read_bytes() != before:
        fault += " reading wrote into the file"
    fault = fault or misread(folder, name, write=True)
    if path.is_file() and kind is another_programs and path.read_bytes() != before:
        fault += " another program's file was written to"
    return fault and f"{name}: {fault}"


@pytest.mark.parametrize("part", range(4))
def test_no_damage_is_believed(part: int, template: Path, tmp_path: Path) -> None:
    """Whatever a byte, a row, a page, a table or the whole file has become."""
    count = int(os.environ.get("ABLATE_DAMAGED_STORES", CASES))
    for case in range(part, count, 4):
        folder = tmp_path / str(case)
        assert faults_of(case, template, folder) == "", f"case {case}"
        shutil.rmtree(folder)


def test_damage_is_counted_in_words(template: Path, tmp_path: Path) -> None:
    """As a reader meets it."""
    folder = tmp_path / "results"
    shutil.copytree(template, folder)
    sql(
        folder / "runs.sqlite",
        f"UPDATE runs SET seed = seed + 1 WHERE key < '{KEYS[3]}'",
        "UPDATE notes SET text = '{}' WHERE key = 'inert'",
    )
    store = open_store(folder, create=False)
    assert list(store.damage.lines()) == [
        "3 records of runs.sqlite are damaged and count as missing.",
        "1 note of runs.sqlite is damaged and counts as missing.",
    ]
    assert set(store.load(KEYS)) == set(KEYS[3:])


def test_a_newer_record_is_never_written_over(template: Path, tmp_path: Path) -> None:
    """It is refused, whoever asks for it."""
    store = open_store(tmp_path)
    newer = record(0, key="a", record_version=RECORD_VERSION + 1)
    store.save([newer])
    with pytest.raises(StoreError, match=f"records of version {RECORD_VERSION + 1}"):
        store.load(["a"])
    assert store.load(["b"]) == {}


def earlier(folder: Path, template: Path) -> Path:
    """Make a store as version 3 wrote it: layout 1, no digests, no application_id."""
    folder.mkdir()
    path = folder / "runs.sqlite"
    link = sqlite3.connect(path)
    link.create_function("whole_record", 3, whole_record)
    link.execute("ATTACH ? AS whole", [str(template / "runs.sqlite")])
    for command in (
        "CREATE TABLE runs (key VARCHAR NOT NULL, seed INTEGER NOT NULL, status VARCHAR NOT NULL, "
        "finished VARCHAR NOT NULL, seconds FLOAT NOT NULL, record TEXT NOT NULL, "
        "PRIMARY KEY (key))",
        "CREATE TABLE notes (key VARCHAR NOT NULL, text TEXT NOT NULL, PRIMARY KEY (key))",
        "CREATE TABLE layout (version INTEGER NOT NULL, PRIMARY KEY (version))",
        "INSERT INTO runs SELECT key, seed, status, finished, seconds, "
        f"replace(whole_record(record, counts, text), '\"record_version\": {RECORD_VERSION}', "
        "'\"record_version\": 3') FROM whole.runs JOIN whole.provenance p ON rests_on = p.digest",
        "INSERT INTO notes SELECT key, text FROM whole.notes",
        "INSERT INTO layout VALUES (1)",
    ):
        link.execute(command)
    link.commit()
    link.close()
    return path


def test_a_store_of_layout_one_is_read_as_it_is_and_sealed_when_written(
    template: Path, tmp_path: Path
) -> None:
    """Its records stay, with the version that they state; reading alone changes nothing."""
    path = earlier(tmp_path / "old", template)
    before = path.read_bytes()
    store = open_store(path.parent, create=False)
    records = store.load(KEYS)
    assert {r.provenance["record_version"] for r in records.values()} == {3}
    assert set(records) == set(KEYS)
    assert "damage in its 40 records cannot be seen" in next(store.damage.lines())
    assert store.notes(NOTES) == NOTES
    store.close()
    assert path.read_bytes() == before
    for _ in range(2):  # opening it again finds it sealed
        store = open_store(path.parent)
        assert store.load(KEYS) == records
        assert store.notes(NOTES) == NOTES
        assert list(store.damage.lines()) == []
        store.close()
    sql(path, f"UPDATE runs SET seconds = seconds + 1 WHERE key = '{KEYS[0]}'")
    assert open_store(path.parent, create=False).damage.runs == (KEYS[0],)


def test_a_record_of_an_earlier_store_that_has_not_the_form_is_damaged(
    template: Path, tmp_path: Path
) -> None:
    """There was no digest to see it by."""
    path = earlier(tmp_path / "old", template)
    for place, (old, new) in enumerate(
        [
            ("[8, 0]", "[99, 0]"),
            ("[8, 0]", "[8]"),
            ('"right": {', '"right": {"a": 5, '),
            ('"seed"', '"see"'),
            ("[10, 10]", "[10, 0]"),
            ('"updates": 10', '"updates": "x"'),
        ]
    ):
        sql(
            path,
            f"UPDATE runs SET record = replace(record, '{old}', '{new}') "
            f"WHERE key = '{KEYS[place]}'",
        )
    store = open_store(path.parent, create=False)
    assert set(store.load(KEYS)) == set(KEYS[6:])
    assert len(store.damage.runs) == 6


def test_an_interrupted_write_is_told_from_damage(template: Path, tmp_path: Path) -> None:
    """A journal that has to be played back first needs the right to write."""
    folder = tmp_path / "results"
    shutil.copytree(template, folder)
    path = folder / stores.FILE
    link = sqlite3.connect(path)
    link.execute("PRAGMA cache_size = 1")
    link.execute("BEGIN")
    link.execute("UPDATE runs SET record = replace(record, '10', '11')")
    shutil.copytree(folder, tmp_path / "killed")  # as a killed process leaves it
    link.rollback()
    link.close()
    with pytest.raises(StoreError, match="A write was interrupted; `run` undoes it"):
        open_store(tmp_path / "killed", create=False).load(KEYS)
    store = open_store(tmp_path / "killed")
    assert store.load(KEYS) == originals()
