"""A suite's `ablate` block -> arms and contrasts, as if they had been written out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ablate.design.claim_models import WrittenAblation
from ablate.design.leave_one_out.fraction import MOST_PARTS, fraction
from ablate.design.located_models import Written, read_sections
from ablate.design.suite_models import WrittenSuite
from ablate.errors import nearest
from ablate.parsing.located_yaml import Mark, Node
from ablate.parsing.paths import depth, undoes, within
from ablate.source.field_schema import NAME, NAME_HELP, shown

FULL = "full"
BARE = "without any part"
JOINED = " + "
"""What joins parts in the names of arms."""

KEY = "ablate"
STAGED = ("contrasts", "looks", "same", "references", "tune", "budget")
"""Keys that say nothing to the arms that are screened: nothing is claimed about them."""

Note = Callable[..., None]
Parts = tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """What is left out of a base, and what that comes to.

    lacks: the parts that each arm lacks, by its name. screened: the suite of the arms that are run
    first, None for no screening; screens: what they lack.
    """

    lacks: Mapping[str, Parts]
    screened: Node | None = None
    screens: Mapping[str, Parts] = field(default_factory=dict)


def without(parts: Parts) -> str:
    """Give the name of the arm that lacks some parts.

    >>> without(()), without(("ema", "warmup"))
    ('full', 'without ema + warmup')
    """
    return f"without {JOINED.join(parts)}" if parts else FULL


def written_out(
    written: Written, note: Note, form: type[WrittenSuite] = WrittenSuite
) -> tuple[Written, LeftOut]:
    """Write a suite's `ablate` block out as arms and contrasts; every fault is noted."""
    root = written.root
    if KEY not in root.items or KEY in written.faulty:
        return written, LeftOut({})
    removals = Removals(root, written.suite.ablate, note)
    if not removals.sound:
        return replace(written, faulty=written.faulty | {KEY}), LeftOut({})
    whole = removals.suite()
    screened = removals.screened() if removals.screens else None
    read = read_sections(whole, _silent, form)
    named = {removals.name(lacking): lacking for lacking in removals.subsets()}
    screens = {without(lacking): lacking for lacking in removals.combinations()}
    read = replace(read, faulty=read.faulty | written.faulty)
    return read, LeftOut(named, screened, screens if screened else {})


def _silent(*_: object) -> None:
    """Note nothing: what was written out has the faults of what it came from, noted before."""


class Removals:
    """Reads an `ablate` block of a sound shape, noting every problem."""

    def __init__(self, root: Node, block: WrittenAblation, note: Note) -> None:
        """Read from a suite's root; `note(at, fault, accepts, guess)` takes its problems."""
        self.root, self.block = root, block
        self.node = root.items[KEY]
        self.sound = True
        self._note = note
        self.screens = "screen" in self.node.items
        self.parts = self._parts()
        self._names()
        for key in ("arms", "factorial"):
            if key in root.items:
                self.note(root.keys[key], f"{key} beside ablate", "one of the two")
        if block.pairs or block.none or self.screens:
            self._together()
        if self.screens:
            self._screening()

    def note(self, *problem: object) -> None:
        """Note a problem of this block."""
        self.sound = False
        self._note(*problem)

    def _parts(self) -> dict[str, Node]:
        """Give what each part's absence sets; a parameter that is named alone becomes false."""
        block = self.node.items["parts"]
        if not isinstance(block.value, list):
            return dict(block.items)
        method = self.root.items["base"].items["method"].items["external"]
        params = method.items["params"].items if "params" in method.items else {}
        parts = {}
        for child in block.value:
            name = str(child.value)
            if name not in params:
                accepts = ", ".join(params) or "none: the program has no params"
                self.note(child.at, f"unknown parameter {name!r}", accepts, nearest(name, params))
            elif params[name].value is not True:
                fault = f"the part {name!r}, which is {shown(params[name].plain())} in the base"
                self.note(child.at, fault, f"what it is without: {{{name}: {{{name}: ...}}}}")
            parts[name] = Node({name: Node(value=False, at=child.at)}, child.at, {name: child.at})
        return parts

    def _names(self) -> None:
        if len(self.parts) > MOST_PARTS:
            self.note(self.node.at, f"{len(self.parts)} parts", f"at most {MOST_PARTS}")
        longest = sorted(self.parts, key=len)[-2 if self.block.pairs else -1 :]
        for name in self.parts:
            at = self._at(name)
            if not NAME.fullmatch(name) or JOINED in name or name == "any part":
                self.note(at, f"{name!r} for a part", f"{NAME_HELP}; without {JOINED!r}")
            elif name in longest and not NAME.fullmatch(without(tuple(longest))):
                self.note(at, f"{name!r} for a part, of which arms are named", "a shorter name")

    def _together(self) -> None:
        """Refuse parts that set the same path, or one inside the other's: they would fight."""
        at = [
            (part, path, value, node.keys.get(path, node.at))
            for part, node in self.parts.items()
            for path, value in node.items.items()
        ]
        order = list(self.parts)
        for (part, path, value, _), (other, inner, _, mark) in itertools.permutations(at, 2):
            equal = depth(path) == depth(inner) and within(inner, path)
            later = order.index(other) > order.index(part)
            if part != other and (later if equal else undoes(path, value, inner)):
                fault = f"part {other!r} sets {inner!r}, inside what part {part!r} sets"
                self.note(mark, fault, "a path of its own, where parts are left out together")

    def _screening(self) -> None:
        if len(self.parts) < 2:
            self.note(self.node.items["screen"].at, "a screen of one part", "two parts or more")
        written, skipped = self.root.items.get("seeds"), self.block.screen.seeds
        if written and isinstance(written.value, list) and len(written.value) <= skipped:
            fault = f"{len(written.value)} seeds, of which a screen uses {skipped}"
            self.note(written.at, fault, "more seeds, or a smaller screen")
        if "tuned" in self.root.items:
            self.note(self.root.keys["tuned"], "tuned arms beside a screen", "one of the two")

    # --- written out

    def name(self, lacking: Parts) -> str:
        """Give the name of the arm that lacks some parts; all of them have a name of their own."""
        every = len(lacking) == len(self.parts) > 1 and self.block.none
        return BARE if every else without(lacking)

    def subsets(self) -> list[Parts]:
        """Give what each arm lacks: nothing first."""
        parts = tuple(self.parts)
        pairs = itertools.combinations(parts, 2) if self.block.pairs else ()
        every = [parts] if self.block.none else []
        return list(dict.fromkeys([(), *((part,) for part in parts), *pairs, *every]))

    def combinations(self) -> Iterator[Parts]:
        """Give what each screened arm lacks."""
        for signs in fraction(len(self.parts)):
            yield tuple(part for part, sign in zip(self.parts, signs, strict=True) if sign > 0)

    def suite(self) -> Node:
        """Give the suite with its arms and contrasts; what is screened uses the first seeds."""
        entries = {key: node for key, node in self.root.items.items() if key != KEY}
        written = entries.get("contrasts", Node([], self.node.at))
        others = written.value if isinstance(written.value, list) else [written]
        subsets = self.subsets()
        entries["arms"] = self._arms((self.name(lacking), lacking) for lacking in subsets)
        entries["contrasts"] = Node([*map(self._contrast, subsets[1:]), *others], self.node.at)
        if self.screens:
            entries["seeds"] = self._seeds(self.block.screen.seeds)
            if "quick" in entries:
                entries["quick"] = self._quick(entries["quick"], later=True)
        return replace(self.root, value=entries)

    def screened(self) -> Node:
        """Give the suite of the arms that are screened, which claims nothing."""
        left = (KEY, *STAGED)
        entries = {key: node for key, node in self.root.items.items() if key not in left}
        entries["arms"] = self._arms((without(lacking), lacking) for lacking in self.combinations())
        entries["seeds"] = self._seeds(0, self.block.screen.seeds)
        if "quick" in entries:
            entries["quick"] = self._quick(entries["quick"], later=False)
        return replace(self.root, value=entries)

    def _arms(self, named: Iterable[tuple[str, Parts]]) -> Node:
        arms = {name: self._arm(lacking) for name, lacking in named}
        return Node(arms, self.node.at, {name: arm.at for name, arm in arms.items()})

    def _arm(self, lacking: Parts) -> Node:
        paths: dict[str, Node] = {}
        marks: dict[str, Mark] = {}
        for part in lacking:
            paths |= self.parts[part].items
            marks |= self.parts[part].keys
        return Node(paths, self._at(lacking[0]) if lacking else self.node.at, marks)

    def _at(self, part: str) -> Mark:
        """Give where a part is named."""
        return self.node.items["parts"].keys.get(part, self.parts[part].at)

    def _contrast(self, lacking: Parts) -> Node:
        items = {
            key: self.node.items[key]
            for key in ("metric", "margin", "worst")
            if key in self.node.items
        }
        for side, name in (("treatment", self.name(lacking)), ("baseline", FULL)):
            items[side] = Node(name, self.node.at, text=name)
        return Node(items, self.node.at, {**self.node.keys, **dict.fromkeys(items, self.node.at)})

    def _seeds(self, skipped: int, count: int = 0) -> Node:
        """Give the seeds after some; `count`, instead of the suite's own number."""
        written = self.root.items.get(
            "seeds", Node(WrittenSuite.model_fields["seeds"].default, self.node.at)
        )
        return _shifted(written, skipped, count)

    def _quick(self, block: Node, *, later: bool) -> Node:
        """Give a quick block for claims, on seeds after the screened ones, or for the screen."""
        entries = dict(block.items)
        seeds = entries.pop("seeds", None)
        if later and seeds:
            begins = "first" in seeds.items or isinstance(seeds.value, list)
            entries["seeds"] = _shifted(seeds, self.block.screen.seeds) if begins else seeds
        return replace(block, value=entries)


def _shifted(seeds: Node, skipped: int, count: int = 0) -> Node:
    """Give seeds without the first ones, or the first `count` of them."""
    if isinstance(seeds.value, list):
        return replace(seeds, value=seeds.value[skipped : count or None])
    parts = seeds.items
    first = parts["first"].value if "first" in parts else 0
    number = count or (parts["count"].value if parts else seeds.value)
    values = {"first": first + skipped, "count": number}
    return Node(
        {key: Node(value, seeds.at) for key, value in values.items()},
        seeds.at,
        dict.fromkeys(values, seeds.at),
    )
