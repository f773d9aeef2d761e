"""The catalogue: read from source, found in folders and entry points, honest about faults."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ablate import registry
from ablate.core.component_source import REQUIRED, Unreadable, read_components, read_range
from ablate.errors import CatalogueError, SelectionError
from ablate.registry import Catalogue
from ablate.types import Choice

ELASTIC = textwrap.dedent(
    '''
    from dataclasses import dataclass
    from torch import Tensor
    from torch.func import vmap
    from ablate.registry import component
    from ablate.types import Clock, Fit, Tasks


    @component("update", "elastic", paper="Author & Author 2024, arXiv:0000.00000, Eq. 7")
    @dataclass(frozen=True)
    class Elastic:
        """theta + epsilon * g * (mean_k phi_k - theta), g = 1 / (1 + stiffness * spread_k).

        epsilon: outer step, (0, 1].
        stiffness: how much disagreement between tasks shortens the step, >= 0; 0 is
            Reptile.
        """

        epsilon: float = 0.5
        stiffness: float = 1.0

        def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
            phi = vmap(fit, in_dims=(None, 0))(theta, tasks)
            gate = 1 / (1 + self.stiffness * phi.var(0, correction=0))
            return theta + self.epsilon * gate * (phi.mean(0) - theta)
    '''
)


def test_a_component_is_read_from_source_without_importing_it() -> None:
    """Label, fields, defaults, ranges and documentation."""
    (entry,) = read_components(ELASTIC, "no.such.module", "elastic.py")
    assert (entry.kind, entry.name, entry.attribute) == ("update", "elastic", "Elastic")
    assert [(f.name, f.default, str(f.range)) for f in entry.fields] == [
        ("epsilon", 0.5, "(0, 1]"),
        ("stiffness", 1.0, "[0, inf)"),
    ]
    assert entry.fields[1].doc.endswith("0 is Reptile.")
    assert "__call__" in entry.methods


def test_what_is_not_literal_is_not_guessed() -> None:
    """The caller then imports the module."""
    with pytest.raises(Unreadable):
        read_components(ELASTIC.replace("= 0.5", "= HALF"), "m", "f")
    with pytest.raises(Unreadable):
        read_components(ELASTIC.replace("class Elastic:", "class Elastic(Base):"), "m", "f")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("step, (0, 1]", [1, 1e-9], [0, 1.1]),
        ("rows, [1, 1e9]", [1, 1e9], [0, 2e9]),
        ("how much, >= 0; 0 is off", [0, 5], [-1]),
        ("rate, > 0", [0.1], [0]),
        ("share, < 1", [0.5, -3], [1]),
        ("share, <= 1", [1], [1.5]),
    ],
)
def test_ranges_are_read_from_prose(text: str, inside: list[float], outside: list[float]) -> None:
    """Open and closed ends."""
    found = read_range(text)
    assert found is not None
    assert all(value in found for value in inside)
    assert not any(value in found for value in outside)


def test_prose_without_a_range_has_none() -> None:
    """A list of words is no interval."""
    assert read_range("optimizer state made `fresh` or `carried`") is None


def test_names_are_looked_up_with_the_nearest_match(catalogue: Catalogue) -> None:
    """Kinds and names alike."""
    with pytest.raises(SelectionError, match="Did you mean 'reptile'"):
        catalogue.get("update", "reptil")
    with pytest.raises(SelectionError, match="Did you mean 'update'"):
        catalogue.get("updat", "reptile")


def test_aliases_become_what_they_stand_for(catalogue: Catalogue) -> None:
    """`itaml-released` is a chain with a decaying step."""
    made = catalogue.build(Choice("update", "itaml-released", {"beta": 2.0}))
    outer = Choice(
        "update",
        "outer",
        {
            "gather": Choice("gather", "chain", {}),
            "step": Choice("step", "decaying", {"beta": 2.0, "count_from": 0}),
        },
    )
    assert made == catalogue.build(outer)


def test_a_plug_in_is_found_through_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module, a class in it, or a whole package; found, and built."""
    package = tmp_path / "somebodys"
    (package / "rules").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rules" / "__init__.py").write_text("")
    (package / "rules" / "elastic.py").write_text(ELASTIC)
    monkeypatch.syspath_prepend(tmp_path)
    for value in ("somebodys.rules.elastic", "somebodys.rules.elastic:Elastic", "somebodys"):
        points = [EntryPoint("elastic", value, registry.GROUP)]
        monkeypatch.setattr(registry, "entry_points", lambda group, points=points: points)
        registry.scan.cache_clear()
        try:
            found = registry.scan()
        finally:
            registry.scan.cache_clear()
        assert "elastic" in found.names("update")
        assert found.warnings == ()
        assert found.build(Choice("update", "elastic", {"epsilon": 0.25})).epsilon == 0.25


def test_a_plug_in_written_without_literals_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fields are then taken from the class."""
    text = ELASTIC.replace("epsilon: float = 0.5", "epsilon: float = 1 / 2")
    (tmp_path / "computed_rule.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint("elastic", "computed_rule", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.scan.cache_clear()
    try:
        field = registry.scan().get("update", "elastic").field("epsilon")
    finally:
        registry.scan.cache_clear()
    assert field is not None
    assert (field.default, field.annotation, str(field.range)) == (0.5, "float", "(0, 1]")


@pytest.mark.parametrize("value", ["not_installed.rules", "json", "ablate.core.random_streams"])
def test_a_plug_in_that_cannot_be_read_is_a_warning(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad installation does not take the tool down."""
    points = [EntryPoint("bad", value, registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.scan.cache_clear()
    try:
        found = registry.scan()
    finally:
        registry.scan.cache_clear()
    assert len(found.warnings) == 1
    assert "bad = " + value in found.warnings[0]
    assert "reptile" in found.names("update")


def test_two_components_of_one_name_are_an_error(tmp_path: Path) -> None:
    """With both files named."""
    (entry,) = read_components(ELASTIC, "m", "first.py")
    (other,) = read_components(ELASTIC, "m", "second.py")
    found: dict[tuple[str, str], object] = {}
    registry._add(found, entry)  # type: ignore[arg-type]
    with pytest.raises(CatalogueError, match=r"first\.py and second\.py"):
        registry._add(found, other)  # type: ignore[arg-type]


def test_a_file_that_is_no_python_is_an_error(tmp_path: Path) -> None:
    """Named, with its fault."""
    path = tmp_path / "broken.py"
    path.write_text("class (")
    with pytest.raises(CatalogueError, match=r"broken\.py: cannot be read as Python"):
        registry._from_file(path, "broken")


def test_a_kind_that_is_not_its_folders_is_a_slip_of_the_pen(tmp_path: Path) -> None:
    """Or it would silently found a kind of its own."""
    (entry,) = read_components(ELASTIC, "m", str(tmp_path / "updates" / "elastic.py"))
    with pytest.raises(CatalogueError, match="kind 'update' in the folder 'updates'"):
        registry._in_place(entry, tmp_path)


def test_labels_are_text() -> None:
    """Not numbers, not empty."""
    for label in ('"update", 5', '"", "x"'):
        source = ELASTIC.replace('"update", "elastic"', label)
        (entry,) = read_components(source, "m", "f.py")
        with pytest.raises(CatalogueError, match="both of them text"):
            registry._add({}, entry)


def test_a_file_that_fails_on_import_is_an_error_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its source alone does not say enough."""
    path = tmp_path / "failing_rule.py"
    path.write_text(ELASTIC.replace("= 0.5", "= 1 / 0"))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CatalogueError, match="cannot be imported: ZeroDivisionError"):
        registry._from_file(path, "failing_rule")


def test_scanning_imports_neither_torch_nor_the_components() -> None:
    """In a process of its own."""
    code = (
        "import sys; from ablate.registry import scan; scan();"
        "names = ('torch', 'torchvision', 'sklearn', 'variants.update.outer');"
        "bad = [name for name in names if name in sys.modules];"
        "sys.exit(repr(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_field_of_every_component_is_documented(catalogue: Catalogue) -> None:
    """And every number has a range; required fields are slots."""
    for entry in catalogue.components.values():
        assert entry.doc, entry.name
        assert entry.paper or entry.kind in ("executor", "report"), entry.name
        for field in entry.fields:
            where = f"{entry.kind}.{entry.name}.{field.name}"
            assert field.doc, where
            if catalogue.slot(field.annotation) is None:
                assert field.default != REQUIRED, where
            if re.search(r"\b(int|float)\b", field.annotation):
                assert field.range, where
