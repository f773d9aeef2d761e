"""Preregistration: what a suite declares, frozen into the store before its first run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from ablate import notes, provenance
from ablate.store import Store
from ablate.types import Contrast, Effect, Json, Suite


def declared(suite: Suite) -> dict[str, Json]:
    """Give what may not change once runs have been seen, as plain data."""

    def claim(one: Contrast) -> Json:
        arms = [suite.variants[i].label for i in (one.treatment, one.baseline)]
        return [*arms, one.metric, one.margin]

    def effect(one: Effect) -> Json:
        sides = [[suite.variants[i].label for i in side] for side in (one.plus, one.minus)]
        return [one.name, *sides, one.metric, one.margin]

    return {
        "question": suite.question,
        "contrasts": [claim(one) for one in suite.contrasts],
        "effects": [effect(one) for one in suite.effects],
        "alpha": suite.alpha,
        "correction": suite.correction,
        "seeds": suite.declared_seeds,
        "first_seed": suite.first_seed,
        "looks": list(suite.looks or (suite.declared_seeds,)),
    }


def digest(content: Mapping[str, Json]) -> str:
    """Give the digest of a declaration."""
    return provenance.digest([json.dumps(content, sort_keys=True).encode()])


def freeze(suite: Suite, store: Store, runs_present: int, anew: bool = False) -> None:
    """Store a suite's declaration, unless one is stored under its name already.

    runs_present: runs of the suite that were there before, so that a late registration shows.
    anew: begin a new study under the same name; the earlier registration is kept beside it.
    """
    earlier = registered(suite, store)
    if earlier is None or anew:
        content = declared(suite)
        entry = {
            "declared": content,
            "digest": digest(content),
            "frozen": datetime.now(UTC).isoformat(timespec="seconds"),
            "runs_present": runs_present,
            "before": [*earlier.get("before", []), earlier["frozen"]] if earlier else [],
        }
        store.note({key_of(suite.name): json.dumps(entry, sort_keys=True)})


def registered(suite: Suite, store: Store) -> Json | None:
    """Give what was frozen under a suite's name; None where nothing was."""
    found = store.notes([key_of(suite.name)])
    return next((notes.read(notes.Registered, *note) for note in found.items()), None)


def as_registered(suite: Suite, entry: Json | None) -> Suite:
    """Give the suite the looks that were frozen: seeds added afterwards are no look of theirs."""
    if entry is None:
        return suite
    then = entry["declared"]
    return replace(suite, looks=tuple(then["looks"]))


def original(suite: Suite, entry: Json | None) -> Suite | None:
    """Give the claims as they were frozen, on today's arms; None where none of them differs.

    Claims about arms that are gone cannot be judged and are left out.
    """
    if entry is None:
        return None
    then, now = entry["declared"], declared(suite)
    if all(now[key] == then[key] for key in ("contrasts", "effects", "alpha", "correction")):
        return None
    places = {variant.label: i for i, variant in enumerate(suite.variants)}
    contrasts = [
        Contrast(places[a], places[b], metric, margin)
        for a, b, metric, margin in then["contrasts"]
        if a in places and b in places
    ]
    margins = {json.dumps(one[:-1]): one[-1] for one in then["effects"]}
    kept = [
        replace(one, margin=margins[json.dumps(said[:-1])])
        for one, said in zip(suite.effects, now["effects"], strict=True)
        if json.dumps(said[:-1]) in margins
    ]
    return replace(
        suite,
        contrasts=tuple(contrasts),
        effects=tuple(kept),
        alpha=then["alpha"],
        correction=then["correction"],
    )


def deviations(suite: Suite, entry: Json | None) -> Iterator[str]:
    """Say each way in which a suite is not what was frozen, and a registration that came late."""
    if entry is None:
        yield "This study was not registered before its runs."
        return
    if entry["digest"] != digest(entry["declared"]):
        yield "The stored registration does not have the digest that it states."
    for when in entry.get("before", []):
        yield f"This study was registered anew; an earlier registration is of {when}."
    if entry["runs_present"]:
        yield f"It was registered when {entry['runs_present']} of its runs were already there."
    now, then = declared(suite), entry["declared"]
    then = {"first_seed": 0, **then}  # earlier registrations knew of no other
    for key in ("question", "alpha", "correction", "seeds", "first_seed", "looks"):
        chosen = key == "looks" and not suite.looks  # by --until-decided, for a suite without
        if now[key] != then[key] and not chosen:
            yield f"{key}: registered {_shown(then[key])}, now {_shown(now[key])}."
    for key in ("contrasts", "effects"):
        yield from _claims(key, then[key], now[key])


def _claims(what: str, then: Json, now: Json) -> Iterator[str]:
    """Compare two lists of claims, whose last entry is the margin."""
    margins = [{json.dumps(one[:-1]): one[-1] for one in claims} for claims in (then, now)]
    for claim in dict.fromkeys([*margins[0], *margins[1]]):
        before, after = (side.get(claim) for side in margins)
        said = json.loads(claim)
        name = f"{said[0]} − {said[1]}, {said[2]}" if what == "contrasts" else said[0]
        if before is None:
            yield f"{what}: {name} was added after the registration."
        elif after is None:
            yield f"{what}: {name} was registered and is gone."
        elif before != after:
            yield f"margin of {name}: registered {before:g}, now {after:g}."


def _shown(value: Json) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def key_of(name: str) -> str:
    """Name the note in which a study of that name is registered."""
    return f"study:{name}"
