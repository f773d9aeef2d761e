"""The `tune` and `tuned` keys of a suite: the search space, and the values that it has led to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.core.component_source import Field
from ablate.core.tuning_values import Dial, Search, Tuned, TunedArm
from ablate.design.grid import GridReader
from ablate.design.suite_models import WrittenRange, WrittenSearch
from ablate.errors import nearest
from ablate.parsing import choices
from ablate.parsing.choices import ChoiceReader
from ablate.parsing.compatibility import field_at, home, settable
from ablate.parsing.located_yaml import DocumentError, Mark, Node, read_document
from ablate.parsing.paths import within, words
from ablate.parsing.presets import moved
from ablate.source.field_schema import allowed, check, shown

MADE = "a file as `tune` wrote it"
UNTUNABLE = ("dataset", "predict", "augment")
"""Kinds that say what is asked, not how well an arm answers."""
METRICS = ("average-accuracy", "average-incremental-accuracy")

Written = WrittenRange | list[Any]
Own = Mapping[str, Mapping[str, Any]]
"""Values by arm and path that stand in the place of a file of tuned ones."""


class SearchReader:
    """Reads what may be tuned and what was, noting every problem."""

    def __init__(self, root: Node, reader: ChoiceReader) -> None:
        """Read from a suite's root, with the suite's own reader of choices."""
        self.root, self.reader, self.note = root, reader, reader.note

    def search(
        self, tune: WrittenSearch, arms: Mapping[str, Node], protocols: Sequence[str]
    ) -> Search:
        """Read the key `tune`."""
        node = self.root.items["tune"]
        space, metric = node.items["space"], node.items.get("metric")
        known = [*protocols, *METRICS]
        if metric and tune.metric not in known:
            fault = f"{tune.metric!r} for the metric of tune"
            self.note(metric.at, fault, ", ".join(known), nearest(tune.metric, known))
        entries = [
            self._dial(path, dial, space.items[path], arms, space.keys[path])
            for path, dial in tune.space.items()
        ]
        dials = tuple(dial for dial in entries if dial)
        return Search(dials=dials, **tune.model_dump(exclude={"space"}))

    def _dial(
        self, path: str, written: Written, node: Node, arms: Mapping[str, Node], at: Mark
    ) -> Dial | None:
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
            paths = [p for tree in arms.values() for p in settable(tree, self.reader.catalogue)]
            guess = nearest(path, dict.fromkeys(p for p in paths if "*" not in p))
            self.note(
                at,
                f"the space's path {path!r} reaches no arm",
                "a path to a setting of a chosen component, by its name",
                guess,
            )
            return None
        self.axes(path, at)
        field = field_at(path, self.reader.catalogue)
        if field is None:
            self._unknown(path, at)
            return None
        if self.reader.catalogue.slot(field.annotation):
            self.note(at, f"the space's path {path!r}, a component", "a setting: number or word")
            return None
        return self._read(path, written, node, field)

    def home(self, tree: Node, path: str) -> str:
        """Give the path at which an arm has a setting; '' where it has none."""
        return home(tree, path, self.reader.catalogue)

    def axes(self, path: str, at: Mark) -> None:
        """Refuse what an axis of `vary` would undo."""
        for axis in self.root.items.get("vary", Node({}, at)).items:
            if within(path, axis) or within(axis, path):
                self.note(at, f"{path!r} is tuned and set by vary too", "one of the two")

    def _unknown(self, path: str, at: Mark) -> None:
        *parent, last = path.split(".")
        kinds, catalogue = self.reader.catalogue.kinds(), self.reader.catalogue
        kind = parent[-2] if len(parent) > 1 and parent[-2] in kinds else ""
        names = [field.name for field in catalogue.get(kind, parent[-1]).fields] if kind else []
        self.note(at, f"{parent[-1]} has no {last!r}", ", ".join(names), nearest(last, names))

    def _read(self, path: str, written: Written, node: Node, field: Field) -> Dial:
        """Check values against the field that they are of."""
        if isinstance(written, WrittenRange):
            for end in (node.items["low"].value, node.items["high"].value):
                if fault := check(field, end)[1]:
                    self.note(node.at, fault, allowed(field))
            whole = "int" in field.annotation and "float" not in field.annotation
            low, high = written.low, written.high
            return Dial(path=path, low=low, high=high, log=written.log, whole=whole)
        texts = [words(child) for child in node.value]
        for i, child in enumerate(node.value):
            if fault := check(field, written[i])[1]:
                self.note(child.at, fault, allowed(field))
            if texts[i] in texts[:i]:
                self.note(child.at, f"{texts[i]} more than once", "each value once")
        return Dial(path, choices=tuple(written))

    def tuned(self, folder: Path) -> Tuned | None:
        """Read the file that the key `tuned` names, relative to the suite's folder."""
        node = self.root.items.get("tuned")
        if node is None or not self.named(node):
            return None
        if not (path := folder / node.text).is_file():
            where = folder / node.text
            self.note(node.at, f"no tuned values at {where}", "`tune` writes them; or no `tuned`")
            return None
        try:
            return untuned(node.text, read_document(path.read_bytes()).plain())
        except DocumentError as error:
            self.note(node.at, f"{path} holds no tuned values: {error.problems[0].found}", MADE)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.note(node.at, f"{path} holds no tuned values: {error}", MADE)
        return None

    def named(self, node: Node) -> bool:
        """Check that the key `tuned` names a file."""
        sound = bool(node.text) and node.text.isprintable()
        if not sound:
            self.note(node.at, f"{shown(node.plain())} for tuned", "the name of a file")
        return sound

    def applied(self, grid: GridReader, arms: Mapping[str, Node], values: Own) -> dict[str, Node]:
        """Put values into the arms; those of an arm or a path that is not there are problems."""
        at = (self.root.items.get("tuned") or self.root).at
        for name in values:
            if name not in arms:
                self.note(
                    at,
                    f"tuned values of an unknown arm {name!r}",
                    ", ".join([*arms][:12]),
                    nearest(name, arms),
                )
        trees = dict(arms)
        for name, tree in arms.items():
            for path, value in values.get(name, {}).items():
                if not (where := self.home(tree, path)):
                    self.note(at, f"a tuned value at {path!r}, which arm {name!r} does not have")
                    continue
                self.axes(path, at)
                trees[name] = grid.apply(trees[name], where, moved(_node(value, at), at), at)
        return trees

    def stale(self, arms: Mapping[str, Node], tuned: Tuned) -> None:
        """Refuse values that were tuned for arms which have been written otherwise since."""
        at = self.root.items["tuned"].at
        for name, arm in tuned.arms.items():
            for path, first in arm.first.items():
                if name not in arms or not (where := self.home(arms[name], path)):
                    continue
                node, field = choices.find(arms[name], tuple(where.split("."))), None
                if node is None:
                    field = field_at(path, self.reader.catalogue)
                now = node.plain() if node else field.default if field else first
                if now != first:
                    fault = f"arm {name!r} has {now!r} at {path}, and had {first!r} when tuned"
                    self.note(at, fault, "values that `tune` found for it as it stands")


def untuned(file: str, plain: Any) -> Tuned:
    """Read plain data that `tune` wrote. Raises ValueError and its like where it is not so."""
    arms = {}
    for name, entry in plain["arms"].items():
        trials = entry["trials"]
        if len(trials) != plain["trials"] or not trials:
            raise ValueError(f"{len(trials)} trials of {name} where {plain['trials']} are said")
        scores, spreads = (
            tuple(float(trial[key]) for trial in trials) for key in ("score", "spread")
        )
        if not all(map(math.isfinite, (*scores, *spreads))):
            raise ValueError(f"a score of {name} that is not finite")
        arm = TunedArm(dict(entry["values"]), scores, spreads, dict(trials[0]["values"]))
        if arm.values != trials[arm.best]["values"]:
            raise ValueError(f"values of {name} that are not those of its best trial")
        arms[name] = arm
    counts = [plain[key] for key in ("trials", "seeds", "rows")]
    if not all(type(count) is int and count > 0 for count in counts):
        raise ValueError("trials, seeds and rows are whole numbers")
    trials, seeds, rows = counts
    fields = (str(plain["data"]), trials, seeds, str(plain["metric"]), rows, arms)
    return Tuned(file, *fields, tuple(map(str, plain["changes"])))


def _node(value: Any, at: Mark) -> Node:
    """Give plain data as if it had been written in a suite."""
    if isinstance(value, dict):
        return Node({k: _node(v, at) for k, v in value.items()}, at, dict.fromkeys(value, at))
    if isinstance(value, list):
        return Node([_node(v, at) for v in value], at)
    return Node(value, at, {}, "" if value is None else str(value))
