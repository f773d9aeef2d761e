"""Preregistration: what a suite declares, frozen into the store before its first run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ablate.records import notes, provenance
from ablate.records.store import Store
from ablate.types import SIDES, Contrast, Effect, Json, Suite

FLAT = "flat"
"""How alpha is shared over looks where nothing else was declared."""

SIZES = ("margin", "lower_margin", "worst")
"""What is declared of a claim in the metric's unit."""


def declared(suite: Suite) -> dict[str, Json]:
    """Give what may not change once runs have been seen, as plain data."""

    def claim(contrast: Contrast) -> Json:
        arms = [suite.variants[i].label for i in (contrast.treatment, contrast.baseline)]
        return [*arms, contrast.metric, *_side(contrast), _margin(contrast)]

    def effect(estimand: Effect) -> Json:
        sides = [
            [suite.variants[i].label for i in side] for side in (estimand.plus, estimand.minus)
        ]
        return [estimand.name, *sides, estimand.metric, *_side(estimand), _margin(estimand)]

    return {
        "question": suite.question,
        "contrasts": [claim(contrast) for contrast in suite.contrasts],
        "effects": [effect(estimand) for estimand in suite.effects],
        "alpha": suite.alpha,
        "correction": suite.correction,
        "seeds": suite.declared_seeds,
        "first_seed": suite.seed_numbers[0],
        "looks": list(suite.looks or (suite.declared_seeds,)),
        **({"spend": suite.spend} if suite.spend != FLAT else {}),
        **({"seed_numbers": list(named)} if (named := suite.variants[0].named_seeds) else {}),
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
    entries = store.notes([key_of(suite.name)])
    return next((notes.read(notes.Registered, *note) for note in entries.items()), None)


def as_registered(suite: Suite, entry: Json | None) -> Suite:
    """Give the suite the looks that were frozen: seeds added afterwards are no look of theirs."""
    if entry is None:
        return suite
    then = entry["declared"]
    return replace(suite, looks=tuple(then["looks"]), spend=then.get("spend", FLAT))


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
        Contrast(places[a], places[b], metric, claim=_side_of(claim), **_sizes(margin))
        for a, b, metric, *claim, margin in then["contrasts"]
        if a in places and b in places
    ]
    registered_as = {_about(claim): claim for claim in then["effects"]}
    effects = [
        replace(effect, claim=_sides(claim), **_sizes(claim[-1]))
        for effect, today in zip(suite.effects, now["effects"], strict=True)
        if (claim := registered_as.get(_about(today)))
    ]
    return replace(
        suite,
        contrasts=tuple(contrasts),
        effects=tuple(effects),
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
    earlier = {
        "first_seed": 0,
        "spend": FLAT,
        "seed_numbers": [],
    }  # earlier registrations knew of no other
    now, then = {**earlier, **now}, {**earlier, **then}
    for key in (
        "question",
        "alpha",
        "correction",
        "seeds",
        "first_seed",
        "looks",
        "spend",
        "seed_numbers",
    ):
        chosen = key == "looks" and not suite.looks  # by --until-decided, for a suite without
        if now[key] != then[key] and not chosen:
            yield f"{key}: registered {_shown(then[key])}, now {_shown(now[key])}."
    for key in ("contrasts", "effects"):
        yield from _claims(key, then[key], now[key])


def _claims(what: str, then: Json, now: Json) -> Iterator[str]:
    """Compare two lists of claims: what each is about, its side, and last its margin."""
    before, after = ({_about(claim): claim for claim in claims} for claims in (then, now))
    for about in dict.fromkeys([*before, *after]):
        words = json.loads(about)
        name = f"{words[0]} − {words[1]}, {words[2]}" if what == "contrasts" else words[0]
        if about not in before:
            yield f"{what}: {name} was added after the registration."
        elif about not in after:
            yield f"{what}: {name} was registered and is gone."
        else:
            yield from _differences(name, before[about], after[about])


def _differences(name: str, before: Json, after: Json) -> Iterator[str]:
    sides = [_sides(claim) or "either side" for claim in (before, after)]
    if sides[0] != sides[1]:
        yield f"claim of {name}: registered {sides[0]}, now {sides[1]}."
    if before[-1] != after[-1]:
        then, now = (_in_words(_sizes(claim[-1])) for claim in (before, after))
        yield f"margin of {name}: registered {then}, now {now}."


def _margin(claim: Contrast | Effect) -> Json:
    """Give the declared margin: a number, as ever; by name, where more was declared with it."""
    if not claim.lower_margin and not claim.worst:
        return claim.margin
    return {key: getattr(claim, key) for key in SIZES}


def _sizes(margin: Json) -> dict[str, Any]:
    """Give a registered margin by the names of a claim's fields."""
    return (
        dict(margin)
        if isinstance(margin, dict)
        else {**dict.fromkeys(SIZES, 0.0), "margin": margin}
    )


def _in_words(sizes: Mapping[str, float]) -> str:
    margin = f"{sizes['margin']:g}"
    if sizes["lower_margin"]:
        margin = f"-{sizes['lower_margin']:g} to +{margin}"
    return margin + (f" with a worst difference of {sizes['worst']:g}" if sizes["worst"] else "")


def _side_of(claim: list[str]) -> str:
    return claim[0] if claim else ""


def _side(claim: Contrast | Effect) -> list[str]:
    """Give the declared side as an entry; a claim of both has none, as before there were sides."""
    return [claim.claim] if claim.claim else []


def _about(claim: Json) -> str:
    """Give what a declared claim is about: all of it but its side and its margin."""
    return json.dumps(claim[: -2 if _sides(claim) else -1])


def _sides(claim: Json) -> str:
    return claim[-2] if claim[-2] in SIDES else ""


def _shown(value: Json) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def key_of(name: str) -> str:
    """Name the note in which a study of that name is registered."""
    return f"study:{name}"
