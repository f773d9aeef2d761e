"""YAML text -> values that know their line and column.

Unlike PyYAML's loader: a key given twice is an error, `1e-3` is a number, `no` and `on` are text,
tags are refused, and depth, size and aliases are capped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ablate.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000

# PyYAML calls an unquoted date a timestamp and `=` a value; to us both are text.
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "value")
}
_NUMBER = re.compile(
    r"[-+]?([0-9][0-9_]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+([eE][-+]?[0-9]+)?"
)


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a file, 1-based."""

    line: int
    column: int


@dataclass(frozen=True)
class Node:
    """A value with its place; a mapping's `keys` are the places of its keys.

    text: a scalar as it was written, so that `1` can be a name. source: the declaration that put it
    into a tree of choices, so that one that is never read can be told.
    """

    value: Any
    at: Mark
    keys: Mapping[str, Mark] = field(default_factory=dict)
    text: str = ""
    source: str = ""

    @property
    def items(self) -> Mapping[str, Node]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def plain(self) -> Any:
        """Give the value without its places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


class DocumentError(Exception):
    """The text is no YAML that we read; carries its problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def read_document(data: bytes) -> Node:
    """Parse YAML bytes into Nodes. Raises DocumentError with every problem found."""
    if len(data) > MAX_BYTES:
        raise DocumentError(Problem(1, 1, f"{len(data):,} bytes", f"at most {MAX_BYTES:,}"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise DocumentError(
            Problem(line, column, "bytes that are no text", "YAML in UTF-8")
        ) from None
    return _Reader().read(text)


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.nodes = 0

    def read(self, text: str) -> Node:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = _mark(mark) if mark else Mark(1, 1)
            raise DocumentError(
                Problem(at.line, at.column, f"not YAML: {error.problem or error.context}")
            ) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
            raise DocumentError(
                Problem(line, column, "a character that YAML does not allow", "printable text")
            ) from None
        except (ValueError, OverflowError) as error:
            raise DocumentError(Problem(1, 1, f"not YAML: {str(error)[:100]}")) from None
        except RecursionError:
            raise DocumentError(Problem(1, 1, "nesting too deep", f"{MAX_DEPTH} levels")) from None
        if root is None or (
            isinstance(root, yaml.ScalarNode) and not root.value and not root.style
        ):
            raise DocumentError(Problem(1, 1, "an empty file", "a suite: question, base, arms ..."))
        node = self.convert(root, 0)
        if self.problems:
            raise DocumentError(*sorted(set(self.problems)))
        return node

    def convert(self, node: Any, depth: int) -> Node:
        self.nodes += 1
        at = _mark(node.start_mark)
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            limit = f"{MAX_DEPTH} levels, {MAX_NODES:,} values"
            raise DocumentError(Problem(at.line, at.column, "nesting too deep", limit))
        if node.tag not in _PLAIN_TAGS:
            self.note(at, f"the tag {_short(node.tag)}", "plain values without tags")
            return Node(None, at)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at, depth)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.convert(child, depth + 1) for child in node.value], at)
        if not _encodable(node.value):
            self.note(at, "half a character (a lone surrogate)", "whole characters")
            return Node(None, at)
        value = scalar(node.value) if node.style is None else node.value
        return Node(value, at, text=node.value)

    def mapping(self, node: Any, mark: Mark, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        for key_node, child in node.value:
            at = _mark(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.note(at, "a key that is itself a structure", "a name")
                continue
            if key_node.tag == "tag:yaml.org,2002:merge":
                self.note(at, "a merge key '<<'", "keys written out")
                continue
            key = str(key_node.value)
            if not _encodable(key):
                self.note(at, "half a character (a lone surrogate)", "whole characters")
                continue
            if key in keys:
                self.note(
                    at, f"the key {key!r} a second time", f"once; first on {_where(keys[key])}"
                )
                continue
            keys[key] = at
            values[key] = self.convert(child, depth + 1)
        return Node(values, mark, keys)

    def note(self, at: Mark, fault: str, allowed: str) -> None:
        self.problems.append(Problem(at.line, at.column, fault, allowed))


def scalar(text: str) -> Any:
    """Read an unquoted word: a number, `true`, `false`, `null`, or else text.

    >>> scalar("1e-3"), scalar("no"), scalar("20"), scalar("true")
    (0.001, 'no', 20, True)
    """
    words = {"true": True, "false": False, "null": None, "~": None, "": None}
    if text.lower() in words:
        return words[text.lower()]
    special = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
    if text.lower() in special:
        return float(special[text.lower()])
    if not (match := _NUMBER.fullmatch(text)):
        return text
    whole = match[1] and not match[2] and not match[3]
    digits = text.replace("_", "")
    # more digits than any count has: a float, which range checks refuse without a huge integer
    return int(digits) if whole and len(digits) < 20 else float(digits)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _where(mark: Mark) -> str:
    return f"line {mark.line}"


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
