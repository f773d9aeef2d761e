"""What a report states of its origin, so that it can be checked later."""

from __future__ import annotations

import json
from dataclasses import asdict

from ablate import provenance
from ablate.flow import Study


def stated(study: Study) -> str:
    """Write what `verify` needs, as a comment that no reader sees."""
    suite = study.suite
    facts = {
        "name": suite.name,
        "seeds": suite.seeds,
        "tuned": asdict(suite.tuned) if suite.tuned else None,
        "changes": list(suite.changes),
        "suite": provenance.digest([suite.text.rstrip().encode()]),
        "records": records(study),
    }
    return f"<!-- ablate {json.dumps(facts)} -->"  # in their order: tables follow that of the arms


def records(study: Study) -> str:
    """Give a digest of the records that a report is made from."""
    mine = {record.key: record for runs in study.runs for record in runs.values()}
    return provenance.digest(
        json.dumps(vars(record), sort_keys=True).encode() for _, record in sorted(mine.items())
    )
