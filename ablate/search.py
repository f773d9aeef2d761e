"""The `tune` and `tuned` keys of a suite: the search space, and the values that it has led to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate import choices
from ablate.choices import ChoiceReader
from ablate.document import DocumentError, Mark, Node, read_document
from ablate.errors import nearest
from ablate.grid import GridReader
from ablate.presets import moved
from ablate.reading import Field
from ablate.schema import allowed, check, shown
from ablate.tunables import Dial, Search, Tuned, TunedArm

NUMBERS = {
    "trials": Field("trials", "int", 16, "[1, 10000]"),
    "seeds": Field("seeds", "int", 3, "[1, 1000]"),
    "rows": Field("rows", "int", 20, "[1, 1000000]"),
}
KEYS = {
    "trials": "trials that every arm gets",
    "seeds": "seeds of each trial, none of them the suite's own",
    "rows": "training rows of each class that are held out, and that trials are scored on",
    "metric": "what is maximised",
    "space": "settings by path: {low: 0.001, high: 1, log: true}, or a list of values",
}
RANGE = "{low: 0.001, high: 1.0, log: true}, or a list of at least two values"
METRICS = ("average-accuracy", "average-incremental-accuracy")

Own = Mapping[str, Mapping[str, Any]]
"""Values by arm and path that stand in the place of a file of tuned ones."""


class SearchReader:
    """Reads what may be tuned and what was, noting every problem."""

    def __init__(self, root: Node, reader: ChoiceReader) -> None:
        """Read from a suite's root, with the suite's own reader of choices."""
        self.root, self.reader, self.note = root, reader, reader.note

    def search(self, arms: Mapping[str, Node], protocols: Sequence[str]) -> Search | None:
        """Read the key `tune`."""
        node = self.root.items.get("tune")
        if node is None:
            return None
        if not isinstance(node.value, dict):
            self.note(node.at, f"{shown(node.plain())} for tune", f"a mapping: {', '.join(KEYS)}")
            return None
        for key in node.items:
            if key not in KEYS:
                self.note(node.keys[key], f"tune has no {key!r}", ", ".join(KEYS),
                          nearest(key, KEYS))  # fmt: skip
        numbers = {name: self._number(node, field) for name, field in NUMBERS.items()}
        metric = self._metric(node, [*protocols, *METRICS])
        space = node.items.get("space", Node({}, node.at))
        if not space.items:
            self.note(space.at, "tune without a space", KEYS["space"])
        found = [self._dial(path, child, arms, space.keys[path])
                 for path, child in space.items.items()]  # fmt: skip
        dials = tuple(dial for dial in found if dial)
        return Search(metric=metric, dials=dials, **numbers)

    def _number(self, node: Node, field: Field) -> Any:
        child = node.items.get(field.name)
        if child is None:
            return field.default
        accepted, fault = check(field, child.plain())
        if fault:
            self.note(child.at, fault, allowed(field))
        return accepted

    def _metric(self, node: Node, known: Sequence[str]) -> str:
        child = node.items.get("metric")
        if child is None:
            return "all-classes"
        if child.text not in known:
            self.note(child.at, f"unknown metric {child.text!r} for tune", ", ".join(known),
                      nearest(child.text, known))  # fmt: skip
        return child.text

    def _dial(self, path: str, node: Node, arms: Mapping[str, Node], at: Mark) -> Dial | None:
        dial = self._written(path, node)
        words = tuple(path.split("."))
        having = [name for name, tree in arms.items() if _has(tree, words)]
        if arms and not having:
            self.note(at, f"the space's path {path!r} reaches no arm",
                      "a path to a setting of a chosen component")  # fmt: skip
        return dial

    def _written(self, path: str, node: Node) -> Dial | None:
        plain = node.plain()
        if isinstance(plain, list) and len(plain) > 1:
            return Dial(path, choices=tuple(plain))
        ends = [plain.get(key) for key in ("low", "high")] if isinstance(plain, dict) else []
        numbers = [one for one in ends if isinstance(one, (int, float)) and one is not True]
        extra = {*plain} - {"low", "high", "log"} if isinstance(plain, dict) else {""}
        log = plain.get("log", False) if isinstance(plain, dict) else False
        sound = len(numbers) == 2 and numbers[0] < numbers[1] and not extra
        if not sound or not isinstance(log, bool) or (log and numbers[0] <= 0):
            self.note(node.at, f"{shown(plain)} for {path}", RANGE)
            return None
        whole = all(isinstance(one, int) for one in numbers)
        return Dial(path, float(numbers[0]), float(numbers[1]), log, whole)

    def tuned(self, folder: Path) -> Tuned | None:
        """Read the file that the key `tuned` names, relative to the suite's folder."""
        node = self.root.items.get("tuned")
        if node is None:
            return None
        path = folder / node.text
        if not path.is_file():
            self.note(node.at, f"no tuned values at {path}", "`tune` writes them; or no `tuned`")
            return None
        try:
            plain = read_document(path.read_bytes()).plain()
            arms = {
                name: TunedArm(
                    said["values"],
                    tuple(float(trial["score"]) for trial in said["trials"]),
                    tuple(float(trial["spread"]) for trial in said["trials"]),
                )
                for name, said in plain["arms"].items()
            }
            budget = (plain["trials"], plain["seeds"], plain["metric"], plain["rows"])
            return Tuned(node.text, str(plain["data"]), *budget, arms)
        except (DocumentError, KeyError, TypeError, ValueError, AttributeError) as error:
            self.note(node.at, f"{path} holds no tuned values: {error}", "a file that `tune` wrote")
            return None

    def applied(self, grid: GridReader, arms: Mapping[str, Node], own: Own) -> dict[str, Node]:
        """Put values into the arms; those of an arm or a path that is not there are problems."""
        at = (self.root.items.get("tuned") or self.root).at
        for name in own:
            if name not in arms:
                self.note(at, f"tuned values of an unknown arm {name!r}", ", ".join([*arms][:12]),
                          nearest(name, arms))  # fmt: skip
        found = dict(arms)
        for name, tree in arms.items():
            for path, value in own.get(name, {}).items():
                if not _has(tree, tuple(path.split("."))):
                    self.note(at, f"a tuned value at {path!r}, which arm {name!r} does not have")
                else:
                    found[name] = grid.apply(found[name], path, moved(_node(value, at), at), at)
        return found


def _has(tree: Node, words: tuple[str, ...]) -> bool:
    """Say whether an arm has the component whose setting a path names."""
    return len(words) > 1 and choices.find(tree, words[:-1]) is not None


def _node(value: Any, at: Mark) -> Node:
    """Give plain data as if it had been written in a suite."""
    if isinstance(value, dict):
        return Node({k: _node(v, at) for k, v in value.items()}, at, dict.fromkeys(value, at))
    if isinstance(value, list):
        return Node([_node(v, at) for v in value], at)
    return Node(value, at, {}, "" if value is None else str(value))
