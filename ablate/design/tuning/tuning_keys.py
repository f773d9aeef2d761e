"""The `tune` and `tuned` keys of a suite: the search space, and the values that it has led to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ablate.core.tuning_values import Dial, Search, Tuned, TunedArm
from ablate.design.reach import Grid, same_arms
from ablate.design.suite_models import WrittenRange
from ablate.design.tuning.settings import blank
from ablate.errors import nearest
from ablate.parsing.located_yaml import DocumentError, Mark, Node, read_document
from ablate.parsing.paths import within, words
from ablate.parsing.presets import moved
from ablate.source.field_schema import shown

Note = Callable[..., None]

MADE = "a file as `tune` wrote it"
TOLD = ("score", "spread")
"""What is told of a trial."""
LOWER = {"higher": False, "lower": True}
"""What the file says of the metric: that a lower score is better, or not."""

Written = WrittenRange | list[Any]
Own = Mapping[str, Mapping[str, Any]]
"""Values by arm and path that stand in the place of a file of tuned ones."""


class SearchReader:
    """Reads what may be tuned and what was, noting every problem.

    What a path means, and what may stand at it, is said by the reader of each form of suite.
    """

    def __init__(self, root: Node, note: Note) -> None:
        """Read from a suite's root; `note(at, fault, accepts, guess)` takes its problems."""
        self.root, self.note = root, note

    def home(self, tree: Node, path: str) -> str:
        """Give the path at which an arm has a setting; '' where it has none."""
        raise NotImplementedError

    def dial(self, path: str, written: Written, arms: Mapping[str, Node]) -> Dial | None:
        """Read a path of the space; None where it has a problem."""
        raise NotImplementedError

    def put(self, tree: Node, where: str, value: Node, at: Mark) -> Node:
        """Put a value into an arm."""
        raise NotImplementedError

    def now(self, tree: Node, where: str, first: Any) -> Any:
        """Give what an arm has at a path today; `first` where nobody can say."""
        raise NotImplementedError

    @property
    def block(self) -> Node:
        """Give the section `tune`."""
        return self.root.items["tune"]

    def dials(self, space: Mapping[str, Written], arms: Mapping[str, Node]) -> tuple[Dial, ...]:
        """Read the space."""
        entries = [self.dial(path, written, arms) for path, written in space.items()]
        return tuple(dial for dial in entries if dial)

    def at(self, path: str) -> Mark:
        """Give where a path of the space stands."""
        return self.block.items["space"].keys[path]

    def axes(self, path: str, at: Mark) -> None:
        """Refuse what an axis of `vary` would undo."""
        for axis in self.root.items.get("vary", Node({}, at)).items:
            if self.same(path, axis):
                self.note(at, f"{path!r} is tuned and set by vary too", "one of the two")

    def same(self, path: str, axis: str) -> bool:
        """Say whether what stands at a path is set by an axis."""
        return within(path, axis) or within(axis, path)

    def choices(self, path: str, written: Sequence[Any]) -> Dial:
        """Give a dial of several values; note what stands there twice."""
        nodes = self.block.items["space"].items[path].value
        texts = [words(child) for child in nodes]
        for i, child in enumerate(nodes):
            if texts[i] in texts[:i]:
                self.note(child.at, f"{texts[i]} more than once", "each value once")
        return Dial(path, choices=tuple(written))

    def apart(self, grid: Grid, search: Search) -> None:
        """Refuse arms that differ in nothing but what is tuned: once tuned, they are one arm."""
        for first, second in same_arms(replace(grid, variants=blank(grid.variants, search))):
            fault = f"{first.arm!r} and {second.arm!r} differ in nothing but what is tuned"
            self.note(self.root.keys["tune"], fault, "arms that differ in more, or a smaller space")

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

    def applied(self, arms: Mapping[str, Node], values: Own) -> dict[str, Node]:
        """Put values into the arms; those of an arm or a path that is not there are problems."""
        at = (self.root.items.get("tuned") or self.root).at
        for name in values if arms else ():  # where there are none, that was told
            if name not in arms:
                few = ", ".join([*arms][:12])
                self.note(at, f"tuned values of an unknown arm {name!r}", few, nearest(name, arms))
        trees = dict(arms)
        for name, tree in arms.items():
            for path, value in values.get(name, {}).items():
                if not (where := self.home(tree, path)):
                    self.note(at, f"a tuned value at {path!r}, which arm {name!r} does not have")
                    continue
                self.axes(path, at)
                trees[name] = self.put(trees[name], where, moved(_node(value, at), at), at)
        return trees

    def stale(self, arms: Mapping[str, Node], tuned: Tuned) -> None:
        """Refuse values that were tuned for arms which have been written otherwise since."""
        at = self.root.items["tuned"].at
        for name, arm in tuned.arms.items():
            for path, first in arm.first.items():
                if name not in arms or not (where := self.home(arms[name], path)):
                    continue
                if (now := self.now(arms[name], where, first)) != first:
                    fault = f"arm {name!r} has {now!r} at {path}, and had {first!r} when tuned"
                    self.note(at, fault, "values that `tune` found for it as it stands")


def untuned(file: str, plain: Any) -> Tuned:
    """Read plain data that `tune` wrote. Raises ValueError and its like where it is not so."""
    arms, lower = {}, LOWER[plain.get("better", "higher")]
    for name, entry in plain["arms"].items():
        trials = entry["trials"]
        if len(trials) != plain["trials"] or not trials:
            raise ValueError(f"{len(trials)} trials of {name} where {plain['trials']} are said")
        scores, spreads = (tuple(map(_score, trials, [key] * len(trials))) for key in TOLD)
        if any(map(math.isinf, (*scores, *spreads))):
            raise ValueError(f"a score of {name} that is not finite")
        first = dict(trials[0]["values"])
        arm = TunedArm(dict(entry["values"]), scores, spreads, first=first, lower=lower)
        if arm.values != trials[arm.best]["values"]:
            raise ValueError(f"values of {name} that are not those of its best trial")
        arms[name] = arm
    outside = "rows" not in plain  # of somebody's own program, nobody sees them
    counts = [plain[key] for key in ("trials", "seeds", *([] if outside else ["rows"]))]
    if not all(type(count) is int and count > 0 for count in counts):
        raise ValueError("trials, seeds and rows are whole numbers")
    trials, seeds, rows = (*counts, 0)[:3]
    return Tuned(
        file=file,
        data="" if outside else str(plain["data"]),
        trials=trials,
        seeds=seeds,
        metric=str(plain["metric"]),
        rows=rows,
        arms=arms,
        changes=tuple(map(str, plain["changes"])),
        lower=lower,
        held_out=dict(plain.get("held_out", {})),
    )


def _score(trial: Mapping[str, Any], key: str) -> float:
    """Read a score or its spread; null is that of a trial that was lost."""
    return math.nan if trial[key] is None else float(trial[key])


def _node(value: Any, at: Mark) -> Node:
    """Give plain data as if it had been written in a suite."""
    if isinstance(value, dict):
        return Node({k: _node(v, at) for k, v in value.items()}, at, dict.fromkeys(value, at))
    if isinstance(value, list):
        return Node([_node(v, at) for v in value], at)
    return Node(value, at, {}, "" if value is None else str(value))
