"""Names of files, folders and studies: two suites never share what is one suite's."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st

import cli
from ablate.core.naming import folder_name
from ablate.design.reader import read_suite
from ablate.errors import ExitCode
from ablate.records import ownership, registration
from ablate.records.store import open_store
from ablate.registry import Catalogue
from tests.conftest import TINY

ODD = (
    *("...yaml", "..yaml", ".yaml", "a.b.yaml", "con.yaml", "NUL.yaml", "-.yaml", "--.yaml"),
    *(
        "sp ace.yaml",
        "новое.yaml",
        "a\tb.yaml",
        "a\nb.yaml",
        "a|b.yaml",
        "\x1b[2J.yaml",
        "<!--.yaml",
    ),
    *("%2e%2e.yaml", "..%2f.yaml", f"{'long' * 50}.yaml", f"{'ю' * 100}.yaml", "a.yaml.yaml"),
    *("suite", "e\u0301.yaml", "$HOME.yaml", "~.yaml", "a:b.yaml", "a\\b.yaml"),
)


@pytest.mark.parametrize("name", ODD, ids=[ascii(name)[:20] for name in ODD])
def test_a_suite_of_any_name_has_a_folder_of_its_own(
    name: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    """Inside the results, of one part, and not hidden."""
    path = tmp_path / name
    path.write_text(TINY, "utf-8")
    made = read_suite(path, catalogue).name
    results = tmp_path / "results"
    assert (results / made).resolve().parent == results.resolve()
    assert made.isprintable()
    assert not made.startswith((".", "-"))
    (results / made).mkdir(parents=True)


def test_odd_names_have_different_folders() -> None:
    """Where letters are replaced, a digest tells them apart."""
    made = [folder_name(Path(name).stem) for name in ODD]
    assert len({*made}) == len(made)


def test_plain_names_stay_as_they_are() -> None:
    """So that what was run before is found again."""
    changes = ["--quick", "--set dataset=fashion-mnist", "--set training.standard.epochs=7"]
    assert (
        folder_name("mnist", changes)
        == "mnist-quick-dataset=fashion-mnist-training.standard.epochs=7"
    )


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_different_changes_have_different_folders(texts: list[str]) -> None:
    """However long they are, and wherever they differ."""
    one, other = (folder_name("x", [f"--set {text}"]) for text in texts)
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= 255
    long = [folder_name("x", [f"--set {'a' * 70}{text}"]) for text in texts]
    assert long[0] != long[1]


def run(*words: object) -> tuple[int, str]:
    """Run a command in this process."""
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_two_suites_of_one_name_share_neither_folder_nor_registration(tmp_path: Path) -> None:
    """Though they ask the same question of the same arms, and differ in the base alone."""
    results, texts = tmp_path / "r", {}
    for folder, widths in (("a", "[16]"), ("b", "[8]")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "tiny.yaml"
        path.write_text(TINY.replace("[16]", widths).replace("seeds: 3", "seeds: 1"), "utf-8")
        code, said = run("run", path, "--results", results, "--workers", 1)
        assert code in (ExitCode.DONE, ExitCode.NOTHING_TESTED)
        texts[folder] = said
    folders = sorted(one for one in results.iterdir() if one.is_dir())
    assert [one.name[:5] for one in folders] == ["tiny", "tiny-"]
    assert f"{results / 'tiny'} is of {tmp_path / 'a' / 'tiny.yaml'}" in texts["b"]
    assert "[16]" in (folders[0] / "report.md").read_text("utf-8")
    assert "[8]" in (folders[1] / "report.md").read_text("utf-8")
    for folder, place in (("a", folders[0]), ("b", folders[1])):
        before = (place / "report.md").read_text("utf-8")
        code, said = run("report", tmp_path / folder / "tiny.yaml", "--results", results)
        assert str(place) in said.replace("\n", "")
        assert (place / "report.md").read_text("utf-8") == before
        assert run("verify", place / "report.md")[0] == ExitCode.DONE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a suite."""
    found = tmp_path / "tiny.yaml"
    found.write_text(TINY, "utf-8")
    return found


def test_an_edited_or_moved_suite_stays_the_same_study(
    path: Path, tmp_path: Path, catalogue: Catalogue
) -> None:
    """So that its edit is a deviation from what was registered."""
    first = read_suite(path, catalogue)
    with closing(open_store(tmp_path / "r")) as store:
        registration.freeze(first, store, 0)
        ownership.take(first, store)
        for old, new in (
            ("2.0 points", "1.0 points"),
            ("[16]", "[8]"),
            ("Does the update rule matter?", "Does it?"),
        ):
            path.write_text(TINY.replace(old, new), "utf-8")
            assert ownership.settled(read_suite(path, catalogue), store).name == "tiny"
        edited = read_suite(path, catalogue)
        said = list(registration.deviations(edited, registration.registered(edited, store)))
        assert said[0].startswith("question: registered")
        path.write_text(TINY.replace("2.0 points", "1.0 points"), "utf-8")
        (tmp_path / "b").mkdir()
        moved = path.rename(tmp_path / "b" / "tiny.yaml")
        assert ownership.settled(read_suite(moved, catalogue), store).name == "tiny"


def test_another_study_in_the_same_file_has_a_name_of_its_own(
    path: Path, tmp_path: Path, catalogue: Catalogue
) -> None:
    """Neither its question nor a claim is left of the first."""
    first = read_suite(path, catalogue)
    with closing(open_store(tmp_path / "r")) as store:
        ownership.take(first, store)
        other = TINY.replace("Does the update rule matter?", "Else?").replace(
            "  balanced: {", "  other: {"
        )
        path.write_text(other.replace("baseline: balanced", "baseline: other"), "utf-8")
        made = ownership.settled(read_suite(path, catalogue), store)
        assert made.name.startswith("tiny-")
        ownership.take(made, store)
        assert ownership.settled(made, store).name == made.name


def test_a_name_registered_before_names_had_owners_is_its_study(
    path: Path, tmp_path: Path, catalogue: Catalogue
) -> None:
    """By its question or a claim."""
    first = read_suite(path, catalogue)
    with closing(open_store(tmp_path / "r")) as store:
        registration.freeze(first, store, 0)
        assert ownership.settled(first, store).name == "tiny"
        other = replace(first, question="Else?", contrasts=())
        assert ownership.settled(other, store).name != "tiny"
