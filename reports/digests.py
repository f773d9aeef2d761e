"""What a report states of its origin, so that it can be checked later."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from ablate.analysis.chance import CLASS_ROWS
from ablate.core.foreign_text import Markup, markdown
from ablate.flow import Study
from ablate.records import cohort, provenance
from ablate.records.rows.sealing import content

from . import tables

Text = Annotated[str, Field(max_length=10_000)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Score = FiniteFloat
MOST = 100_000
"""Seeds, trials: as many as a suite may ask for."""

MOST_FACTS = 20_000
"""Letters of one row of the provenance, which lists a digest for every component."""


class Strict(BaseModel):
    """Read as it is written: nothing is turned into another type, nothing unknown is let pass."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class StatedArm(Strict):
    """An arm's tuned values and its trials."""

    values: Annotated[dict[Text, Any], Field(max_length=1000)]
    scores: Annotated[list[Score | None], Field(min_length=1, max_length=MOST)]
    spreads: Annotated[list[Score | None], Field(max_length=MOST)]
    first: Annotated[dict[Text, Any], Field(max_length=1000)]
    lower: bool = False

    @model_validator(mode="after")
    def _paired(self) -> StatedArm:
        if len(self.scores) != len(self.spreads):
            raise ValueError("as many spreads as scores")
        return self


class StatedTuned(Strict):
    """The file of tuned values that the suite was read with."""

    file: Text
    data: Text
    trials: Annotated[int, Field(ge=1, le=MOST)]
    seeds: Annotated[int, Field(ge=1, le=MOST)]
    metric: Text
    rows: Annotated[int, Field(ge=0)]
    arms: Annotated[dict[Text, StatedArm], Field(max_length=10_000)]
    changes: Annotated[list[Text], Field(max_length=1000)] = []
    lower: bool = False
    held_out: Annotated[dict[Text, Any], Field(max_length=1000)] = {}


class Stated(Strict):
    """What a report says of its origin, in its last line; `verify` reads nothing else there."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    seeds: Annotated[int, Field(ge=1, le=MOST)]
    tuned: StatedTuned | None
    changes: Annotated[list[Text], Field(max_length=1000)]
    suite: Digest
    records: Digest


def stated(study: Study) -> str:
    """Write what `verify` needs, as a comment that no reader sees."""
    suite = study.suite
    facts = {
        "name": suite.name,
        "seeds": suite.seeds,
        "tuned": _nulls(asdict(suite.tuned)) if suite.tuned else None,
        "changes": list(suite.changes),
        "suite": provenance.digest([suite.text.rstrip().encode("utf-8", "surrogatepass")]),
        "records": records(study),
    }
    stated = json.dumps(facts)  # in their order: tables follow that of the arms
    for bracket in "<>":  # a `-->` in what was typed would end the comment
        stated = stated.replace(bracket, f"\\u{ord(bracket):04x}")
    return f"<!-- ablate {stated} -->"


def _nulls(value: Any) -> Any:
    """Write scores that there are none of as null: JSON has no other word."""
    if isinstance(value, dict):
        return {name: _nulls(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nulls(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def records(study: Study) -> str:
    """Give a digest of the records that a report is made from."""
    by_key = {record.key: record for runs in study.runs for record in runs.values()}
    return provenance.digest(
        json.dumps(
            {
                **content(record),
                "right": dict(record.right),
                "task_right": dict(record.task_right),
            },
            sort_keys=True,
        ).encode()
        for _, record in sorted(by_key.items())
    )


def provenance_table(study: Study) -> str:
    """List every fact that the records state, with all of its values where they disagree."""
    values: dict[str, dict[str, set[str]]] = {}
    for facts in cohort.bases(record for runs in study.runs for record in runs.values()):
        for name, value in facts.items():
            if name not in ("streams", CLASS_ROWS):
                parts = value if isinstance(value, dict) else {"": value}
                for part, word in parts.items():
                    values.setdefault(name, {}).setdefault(part, set()).add(str(word))
    texts = {
        name: ", ".join(
            f"{part} {' / '.join(sorted(words))}".strip() for part, words in parts.items()
        )
        for name, parts in sorted(values.items())
        if any(words != {""} and words != {"[]"} for words in parts.values())
    }
    rows = [[name, Markup(markdown(text, MOST_FACTS))] for name, text in texts.items()]
    return tables.table(["fact", "value"], rows) if rows else "No records."
