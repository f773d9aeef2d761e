"""Whose a name is in a results folder: its folder, its report and its registration.

Files are often called alike. A name belongs to the first suite that was run under it, also after it
is edited or moved; another suite's folder has a digest behind the name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ablate.core.naming import short_digest
from ablate.errors import StoreError
from ablate.records import notes
from ablate.records.registration import declared, key_of
from ablate.records.store import Store
from ablate.types import Suite


class Owner(BaseModel):
    """The suite that a name belongs to. origin: its file, '' where that is not known.

    claims: what is compared in which metric, as texts without margins. text: a digest of its file.
    """

    origin: str = ""
    question: str
    claims: list[str] = []
    text: str = ""


def settled(suite: Suite, store: Store) -> Suite:
    """Give a suite under a name that no other suite has in this store.

    Raises StoreError where the name and the one with a digest are both another's.
    """
    digest = short_digest(f"{_origin(suite)}\n{suite.question}")
    for name in (suite.name, f"{suite.name}-{digest}"):
        owner = owner_of(name, store)
        if owner is None or is_owner(owner, suite):
            return replace(suite, name=name)
    raise StoreError(f"{suite.name} is the name of other suites here: rename {suite.origin}")


def take(suite: Suite, store: Store) -> None:
    """Write down that a suite's name is its own."""
    store.note({_key(suite.name): owner(suite).model_dump_json()})


def owner(suite: Suite) -> Owner:
    """Describe a suite as the owner of its name."""
    content = declared(suite)
    return Owner(
        origin=_origin(suite),
        question=suite.question,
        claims=_claims(content),
        text=short_digest(suite.text),
    )


def owner_of(name: str, store: Store) -> Owner | None:
    """Read whose a name is; None where it is free."""
    texts = store.notes([_key(name), key_of(name)])
    if text := texts.get(_key(name)):
        return Owner(**notes.read(Owner, _key(name), text))
    if text := texts.get(key_of(name)):  # registered before names had owners
        content = notes.read(notes.Registered, key_of(name), text)["declared"]
        return Owner(question=content["question"], claims=_claims(content))
    return None


def is_owner(owner: Owner, suite: Suite) -> bool:
    """Say whether a suite is the one that a name belongs to, perhaps edited or moved since.

    One file stays one study while its question or one of its claims is kept; two files are two
    studies unless their text is the same or the first of them is gone.
    """
    claims = _claims(declared(suite))
    alike = owner.question == suite.question or bool({*claims} & {*owner.claims})
    if owner.text == short_digest(suite.text) and owner.origin:
        return True
    moved = not owner.origin or not Path(owner.origin).is_file()
    return alike and (owner.origin == _origin(suite) or moved)


def _claims(content: Mapping[str, Any]) -> list[str]:
    claims = [*content.get("contrasts", []), *content.get("effects", [])]
    return [json.dumps(claim[:-1]) for claim in claims]


def _origin(suite: Suite) -> str:
    return str(Path(suite.origin).absolute())


def _key(name: str) -> str:
    return f"owner:{name}"
