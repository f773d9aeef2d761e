"""The search space of a suite of components: paths to settings, each held against its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.core.component_source import Field
from ablate.core.tuning_values import Dial, Search
from ablate.design.grid import GridReader
from ablate.design.reach import Grid
from ablate.design.suite_models import WrittenRange, WrittenSearch
from ablate.design.tuning.tuning_keys import SearchReader, Written
from ablate.errors import nearest
from ablate.parsing import choices
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.compatibility import field_at, home, settable
from ablate.parsing.located_yaml import Mark, Node
from ablate.source.field_schema import allowed, check

UNTUNABLE = ("dataset", "predict", "augment")
"""Kinds that say what is asked, not how well an arm answers."""
METRICS = ("average-accuracy", "average-incremental-accuracy")


class ComponentSearch(SearchReader):
    """Reads what may be tuned of components, and what was."""

    def __init__(self, root: Node, reader: ChoiceReader, grid: GridReader) -> None:
        """Read from a suite's root, with the suite's own readers of choices and of its grid."""
        super().__init__(root, reader.note)
        self.catalogue, self.grid = reader.catalogue, grid

    def search(
        self,
        tune: WrittenSearch,
        arms: Mapping[str, Node],
        protocols: Sequence[str],
        grid: Grid,
    ) -> Search:
        """Read the key `tune`."""
        metric, known = self.block.items.get("metric"), [*protocols, *METRICS]
        if metric and tune.metric not in known:
            fault = f"{tune.metric!r} for the metric of tune"
            self.note(metric.at, fault, ", ".join(known), nearest(tune.metric, known))
        dials = self.dials(tune.space, arms)
        search = Search(tune.trials, tune.seeds, tune.metric, dials, rows=tune.rows)
        self.apart(grid, search)
        return search

    def dial(self, path: str, written: Written, arms: Mapping[str, Node]) -> Dial | None:
        """Read a path of the space; None where it has a problem."""
        at = self.at(path)
        if path.split(".")[0] in UNTUNABLE:
            self.note(
                at,
                f"the space's path {path!r}",
                "a setting of the training: scores of "
                "other data or other protocols cannot be compared",
            )
            return None
        homes = [where for tree in arms.values() if (where := self.home(tree, path))]
        if arms and not homes:
            paths = [p for tree in arms.values() for p in settable(tree, self.catalogue)]
            guess = nearest(path, dict.fromkeys(p for p in paths if "*" not in p))
            self.note(
                at,
                f"the space's path {path!r} reaches no arm",
                "a path to a setting of a chosen component, by its name",
                guess,
            )
            return None
        self.axes(path, at)
        field = field_at(path, self.catalogue)
        if field is None:
            self._unknown(path, at)
            return None
        if self.catalogue.slot(field.annotation):
            self.note(at, f"the space's path {path!r}, a component", "a setting: number or word")
            return None
        return self._read(path, written, field)

    def home(self, tree: Node, path: str) -> str:
        """Give the path at which an arm has a setting; '' where it has none."""
        return home(tree, path, self.catalogue)

    def put(self, tree: Node, where: str, value: Node, at: Mark) -> Node:
        """Put a value into an arm."""
        return self.grid.apply(tree, where, value, at)

    def now(self, tree: Node, where: str, first: Any) -> Any:
        """Give what an arm has at a path today; `first` where nobody can say."""
        if node := choices.find(tree, tuple(where.split("."))):
            return node.plain()
        field = field_at(where, self.catalogue)
        return field.default if field else first

    def _unknown(self, path: str, at: Mark) -> None:
        *parent, last = path.split(".")
        kinds = self.catalogue.kinds()
        kind = parent[-2] if len(parent) > 1 and parent[-2] in kinds else ""
        fields = self.catalogue.get(kind, parent[-1]).fields if kind else ()
        names = [field.name for field in fields]
        self.note(at, f"{parent[-1]} has no {last!r}", ", ".join(names), nearest(last, names))

    def _read(self, path: str, written: Written, field: Field) -> Dial:
        """Check values against the field that they are of."""
        node = self.block.items["space"].items[path]
        if isinstance(written, WrittenRange):
            for end in (node.items["low"].value, node.items["high"].value):
                if fault := check(field, end)[1]:
                    self.note(node.at, fault, allowed(field))
            whole = "int" in field.annotation and "float" not in field.annotation
            low, high = written.low, written.high
            return Dial(path=path, low=low, high=high, log=written.log, whole=whole)
        for value, child in zip(written, node.value, strict=True):
            if fault := check(field, value)[1]:
                self.note(child.at, fault, allowed(field))
        return self.choices(path, written)
