"""What `--quick` and `--set` change in a suite, and what they have changed in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ablate.errors import nearest
from ablate.parsing.located_yaml import DocumentError, Mark, Node, read_document
from ablate.parsing.paths import depth, states, within, words
from ablate.parsing.presets import moved
from ablate.types import ENOUGH_PAIRS, axis_name

COMMAND = Mark(0, 0)
"""The place of what the command line says."""

QUICK = "what `--quick` changes in the base, by path, and its number of seeds"
SHORTER = ("epochs", "steps")
"""Settings that make training longer, and that nothing else is counted in."""
COUNTED = ("first_epochs", "last_epochs", "schedule", "last_steps")
"""Settings that are said in epochs themselves, so that fewer epochs would change their meaning."""
Note = Callable[..., None]


@dataclass(frozen=True)
class Change:
    """A value that the command line puts into the base. source: what the value is stamped with."""

    path: str
    value: Node
    at: Mark
    source: str

    @property
    def by_set(self) -> bool:
        """Say whether it is of `--set` and not of the suite's quick block."""
        return self.at == COMMAND


def of_set(texts: Sequence[str], note: Note) -> list[Change]:
    """Read what `--set` changes; its problems stand at line 0."""
    changes = []
    for number, text in enumerate(texts):
        path, equals, value = text.partition("=")
        if not equals or not path.strip() or not value.strip():
            note(COMMAND, f"--set {text!r}", "path=value, as in dataset=digits")
            continue
        if path.strip() == "seeds":
            note(COMMAND, f"--set {text!r}, which is not of the base", f"--seeds {value.strip()}")
            continue
        try:
            node = moved(read_document(value.encode()), COMMAND)
        except (DocumentError, UnicodeEncodeError) as error:
            fault = error.problems[0].found if isinstance(error, DocumentError) else str(error)
            note(COMMAND, f"--set {text}: {fault}", "path=value")
            continue
        changes.append(Change(path.strip(), node, COMMAND, f"--set {number}"))
    return changes


def of_block(block: Node, note: Note) -> list[Change]:
    """Read what a `quick` block changes in the base."""
    changes = []
    for path, value in block.items.items():
        if path != "seeds" and "." not in path and nearest(path, ["seeds"]):
            note(block.keys[path], f"unknown key {path!r} in quick", QUICK, "seeds")
        elif path != "seeds":
            changes.append(Change(path, value, block.keys[path], f"quick {path}"))
    return changes


def usual(root: Node) -> list[Change]:
    """Give what `--quick` shortens in a suite without a `quick` block: half of the epochs or steps.

    Nothing where an arm or an axis says how long to train, or where a schedule counts in epochs.
    """
    nodes = _paths(root)
    elsewhere = [path for path in nodes if not path.startswith("base.")]
    if any(axis_name(path) in (*SHORTER, *COUNTED) for path in elsewhere):
        return []
    inside = [path.removeprefix("base.") for path in nodes if path.startswith("base.")]
    if any(axis_name(path) in COUNTED for path in inside):
        return []
    changes = []
    for path in inside:
        number = nodes[f"base.{path}"].value
        if axis_name(path) in SHORTER and type(number) is int and number > 1:
            half = -(-number // 2)
            at = nodes[f"base.{path}"].at
            changes.append(Change(path, Node(half, at, {}, str(half)), at, f"quick {path}"))
    return changes


def _paths(node: Node, path: str = "") -> dict[str, Node]:
    """Give everything that is written, by path."""
    nodes: dict[str, Node] = {}
    for key, child in node.items.items():
        if path or key in ("base", "arms", "vary", "factorial"):
            inner = f"{path}.{key}" if path else key
            nodes |= {inner: child, **_paths(child, inner)}
    for child in node.value if isinstance(node.value, list) else ():
        nodes |= _paths(child, f"{path}.-") if path else {}
    return nodes


def together(quick: Sequence[Change], overrides: Sequence[Change]) -> list[Change]:
    """Put both in the order in which none undoes another; `--set` goes before the `quick` block."""
    free = [change for change in quick if not any(_says(c, change.path) for c in overrides)]
    return sorted([*free, *overrides], key=lambda change: depth(change.path))


def _says(change: Change, path: str) -> bool:
    """Say whether a change has a value at a path, be it inside a whole component."""
    rest = path.split(".")[depth(change.path) + 1 :]
    return within(path, change.path) and states(change.value, rest)


def told(
    changes: Sequence[Change],
    before: Mapping[str, Node | None],
    missed: Mapping[str, Sequence[str]],
) -> list[str]:
    """Say each change in words: `dataset: digits, not mnist`.

    before: what stood there, by source; what is not in it was left out. missed: the arms that it
    does not reach, by source.
    """
    sentences = []
    for change in (edit for edit in changes if edit.source in before):
        old = before[change.source]
        name = axis_name(change.path)
        was = (
            f"not {words(old, name)}"
            if old is not None and old.value is not None
            else "not the default"
        )
        value = "none" if change.value.value is None else words(change.value, name)
        arms = missed.get(change.source, ())
        but = f" (not in {', '.join(arms)})" if arms else ""
        sentences.append(f"{name}: {value}, {was}{but}")
    return sentences


def told_seeds(seeds: int, declared: int) -> list[str]:
    """Say that other than the declared number of seeds is run, and what it costs."""
    if seeds == declared:
        return []
    few = f", too few pairs to decide anything: {ENOUGH_PAIRS} are needed"
    return [f"seeds: {seeds}, not {declared}{few if seeds < ENOUGH_PAIRS else ''}"]


def other_seeds(sentences: Sequence[str], seeds: int, declared: int) -> tuple[str, ...]:
    """Say what `--seeds` changes beside what was told; a quick run has told of fewer already.

    >>> other_seeds(["tasks: 2, not 5", "seeds: 5, not 12"], 6, 5)
    ('tasks: 2, not 5', 'seeds: 6, not 12')
    """
    matches = [re.match(r"seeds: \d+, not (\d+)", words) for words in sentences]
    first = next((int(match[1]) for match in matches if match), declared)
    remaining = [words for words, match in zip(sentences, matches, strict=True) if not match]
    return (*remaining, *told_seeds(seeds, first))
