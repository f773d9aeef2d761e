"""A report keeps its structure, and a terminal its lines, whatever a suite and an error say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from markdown_it import MarkdownIt

from ablate import flow
from ablate.core.foreign_text import hidden, terminal
from ablate.errors import Problem, unknown
from ablate.records import payload
from ablate.records.store import open_store
from ablate.training import execute
from ablate.types import RunSpec, Stack, Suite
from reports import answers, arm_figures, figures, one_page, overview_figures, verify, write
from tests.conftest import TINY
from tests.core.test_foreign_text import HOSTILE, TEXT, unseen

pytestmark = pytest.mark.slow

MARK = "Zqx"
"""Stands for the hostile text wherever a suite, a component or an error can put one."""

Named = Callable[[str], flow.Study]

GRID = TINY.replace("Does the update rule matter?", MARK).replace("  balanced:", f"  {MARK}:")
GRID = GRID.replace("baseline: balanced", f"baseline: {MARK}") + (
    "vary:\n  method.meta.inner_steps: [1, 2]\n"
)


@pytest.fixture(scope="module")
def named(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Named:
    """Run a small grid once, and give its study with a text in everything that others name."""
    from ablate.design.reader import parse_suite
    from ablate.types import Site

    suite = parse_suite(GRID.encode(), "tiny", "tiny.yaml", catalogue)
    store = open_store(tmp_path_factory.mktemp("results"))
    work = flow.prepare(suite, Path("data"), store)
    for _ in flow.run(work, store, Site("data", "cpu")):
        pass
    study = flow.analyse(suite, store)
    store.close()
    lost = dataclasses.replace(
        study.runs[1][0], status="failed", reason=MARK, provenance={"data_mark": MARK}
    )
    runs = (study.runs[0], {**study.runs[1], 0: lost}, *study.runs[2:])
    untestable = dataclasses.replace(study.verdicts[0], decision="UNTESTABLE", why=MARK)
    study = dataclasses.replace(
        study,
        runs=runs,
        verdicts=(untestable, *study.verdicts[1:]),
        warnings=(*study.warnings, MARK),
        deviations=(MARK,),
        inert={0: {"tied": MARK, "reason": MARK}},
        registered=study.verdicts,
        suite=dataclasses.replace(study.suite, changes=(MARK,)),
    )
    marked = put(put(study, "all-classes", MARK), "inner_steps", MARK)
    return lambda text: put(marked, MARK, text)


def put(value: Any, mark: str, text: str) -> Any:
    """Replace a mark in every text of a value, however deep, keys included."""
    if isinstance(value, str):
        return value.replace(mark, text)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: put(getattr(value, f.name), mark, text) for f in dataclasses.fields(value)
        }
        return type(value)(**fields)
    if isinstance(value, Mapping):
        return {put(k, mark, text): put(v, mark, text) for k, v in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return type(value)(put(item, mark, text) for item in value)
    return value


def structure(markdown: str) -> list[str]:
    """Name the elements that a renderer finds, text and code alike, in order."""
    kinds: list[str] = []
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for token in parser.parse(markdown):
        for part in token.children or [token]:
            same = part.type in ("text", "text_special", "code_inline")
            kind = "text" if same else f"{part.type} {part.tag}"
            if not (kind == "text" and kinds[-1:] == ["text"]):
                kinds.append(kind)
    return kinds


@example("\ud800")
@given(TEXT.filter(lambda text: text.strip() and "\udc80" not in text and len(text) < 10_000))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_report_keeps_its_structure_whatever_others_wrote(named: Named, text: str) -> None:
    """The same headings, tables, columns and emphasis as with a harmless name; nothing hidden."""
    written = named(text)
    for render in (write.text, one_page.text):
        shown = render(written)
        assert structure(shown) == structure(render(named("name")))
        assert not unseen(shown, "\n\t")


@given(TEXT)
@settings(max_examples=60, deadline=None)
def test_lines_for_the_terminal_hide_nothing(named: Named, text: str) -> None:
    """A line each, as with a harmless name."""
    lines = list(answers.told(named(text)))
    harmless = list(answers.told(named("name")))
    assert [line.count("\n") for line in lines] == [line.count("\n") for line in harmless]
    assert not unseen("".join(lines), "\n")
    assert all(len(line) < 30_000 for line in lines)


def test_a_report_of_endless_errors_stays_small(named: Named) -> None:
    """One error of 3 MB made a report of 60 MB."""
    long = named("x" * 3_000_000)
    typed = dataclasses.replace(long.suite, text="", changes=())
    assert len(write.text(dataclasses.replace(long, suite=typed))) < 300_000


def test_an_error_is_stored_as_one_line_of_bounded_length() -> None:
    """Raised in training, or told by an executor."""
    run = RunSpec("k", 0, "float32", {})
    for reason in ("x" * 3_000_000, "two\nlines \x1b[2J"):
        (lost,) = payload.failed(Stack((run,), ()), reason)
        assert len(lost.reason) < 3000
        assert not unseen(lost.reason)
        (read,) = payload.unpack_results([vars(lost) | {"reason": reason}])
        assert read.reason == lost.reason
    assert "ValueError" in execute.describe(ValueError("x" * 3_000_000))


def test_a_fault_of_a_suite_is_told_in_one_visible_line() -> None:
    for text in HOSTILE:
        said = Problem(1, 1, f"unknown key {text}", text, text).text("a\x1b.yaml")
        assert not unseen(said)
        assert len(said) < 10_000
        assert not unseen(terminal(unknown("arm", text, [text])), "\n")


@pytest.mark.parametrize("text", [t for t in HOSTILE if len(t) < 100])
def test_pictures_are_drawn_whatever_others_wrote(named: Named, text: str, tmp_path: Path) -> None:
    drawable = named(text + "$\\frac{$")
    with figures.canvas() as pyplot:
        for make in (figures.forest, figures.curves, arm_figures.means, overview_figures.shares):
            drawn = make(drawable, pyplot)
            if drawn is not None:
                drawn.savefig(tmp_path / "any.png", dpi=20)
                pyplot.close(drawn)


def test_verify_reads_a_suite_with_hidden_characters_back(
    suite_of: Callable[..., Suite], tmp_path: Path, run_suite: Callable[..., flow.Study]
) -> None:
    """They are visible in the report, and exact when read."""
    question = '"<!-- \\e[2J \u202e \u2028 | # **No** ⟦U+0041⟧ `x`"  # \u200b comment'
    suite = suite_of(("question: Does the update rule matter?", f"question: {question}"))
    assert "\x1b" in suite.question
    study = run_suite(suite, tmp_path / "results")
    path = write.write(study, tmp_path / "results" / "tiny")
    text = path.read_text("utf-8")
    assert not unseen(text, "\n")
    assert "⟦U+202E⟧" in text
    assert suite.text.rstrip() in hidden(text)
    store = open_store(tmp_path / "results", create=False)
    assert list(verify.verify(path, store)) == []
    store.close()


def test_no_command_sends_control_characters_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a question, an unknown key, a file's name, a word that is no command, an option."""
    from click.testing import CliRunner

    import cli

    monkeypatch.chdir(tmp_path)
    good, bad = tmp_path / "good.yaml", tmp_path / "bad\x1b[2J.yaml"
    good.write_text(TINY.replace("Does the update", '"\\e[2J\\u202e the').replace("matter?", '"'))
    bad.write_text(TINY.replace("seeds: 3", '"se\\eeds\\u200b": 3'))
    asked = [
        ("plan", str(good)),
        ("plan", str(bad)),
        ("plan", "none\x1b[2J"),
        ("\x1b[2J",),
        ("report", str(good), "--style", "\x1b[2J"),
        ("plan", str(good), "--set", "dataset=\x1b[2J"),
    ]
    for words_typed in asked:
        done = CliRunner().invoke(cli.main, list(words_typed))
        assert not unseen(done.output, "\n"), words_typed
        assert "\\x1b" in done.output
        assert done.exit_code == (0 if words_typed == asked[0] else 2)


FORGED = "\nMATTERS (helps)\x1b[2J"
"""Would be a line of its own on a terminal."""


@pytest.mark.parametrize(
    "typed",
    [
        ("plan", f"none{FORGED}.yaml"),
        ("run", "good.yaml", "--results", f"r{FORGED}"),
        ("report", "good.yaml", "--results", f"r{FORGED}"),
        ("report", "good.yaml", "--results", f"none{FORGED}"),
        ("plan", "arrays.yaml"),
        ("plan", "arrays.yaml", "--data-root", f"d{FORGED}"),
        ("plan", "pictures.yaml", "--data-root", f"d{FORGED}"),
        ("run", "good.yaml", "--only", f"x{FORGED}"),
        ("run", "good.yaml", "--set", f"training.standard.epochs=1{FORGED}"),
        ("compare", f"none{FORGED}.csv"),
        ("verify", f"none{FORGED}/a/report.md"),
        ("show", f"memory{FORGED}"),
    ],
    ids=" ".join,
)
def test_no_name_of_a_file_starts_a_line_of_the_terminal(
    typed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict there would be taken for ours."""
    from click.testing import CliRunner

    import cli

    monkeypatch.chdir(tmp_path)
    data = TINY.replace("seeds: 3", "seeds: 1").replace("epochs: 2", "epochs: 1")
    name = "a\\nMATTERS (helps)\\e[2J"
    for file, choice in (
        ("good", "{digits: {tasks: 5}}"),
        ("arrays", f'{{arrays: {{source: "{name}.npz", tasks: 5}}}}'),
        ("pictures", f'{{image-folder: {{folder: "{name}", tasks: 5}}}}'),
    ):
        Path(f"{file}.yaml").write_text(data.replace("{digits: {tasks: 5}}", choice))
    if typed[0] == "report":
        CliRunner().invoke(cli.main, ["run", "good.yaml", "--results", f"r{FORGED}"])
    done = CliRunner().invoke(cli.main, list(typed))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not unseen(done.output, "\n")
    assert not [line for line in done.output.splitlines() if line.startswith("MATTERS (helps)")]
