"""Which test rows a run got right after its last task, as a text that a record can hold.

A row is 1 where its class is right, rows stand class by class in the order of the class numbers and
inside a class as in the file, whatever order a seed put either in: `110/01` are five rows of two
classes. Deflated, ten thousand rows are under a kilobyte.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
from numpy.typing import NDArray

from ablate.types import Floats, Ints, RunResult


def pack(right: NDArray[np.bool_], classes: Ints) -> str:
    """Write scores and class numbers of all test rows, `[N]` each, in the file's order."""
    text = "/".join(
        "".join(np.where(right[classes == c], "1", "0").tolist())
        for c in range(int(classes.max()) + 1)
    )
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(result: RunResult, protocol: str) -> list[Floats] | None:
    """Give the scores of a run's test rows by class, 1.0 where right, `[classes][rows]`.

    None where the record has none by this protocol: it is of an earlier version, or rows vote; and
    where they are not those that its counts are of.
    """
    if protocol not in result.right or not (text := result.row_right.get(protocol)):
        return None
    rows, classes = sum(result.rows), result.provenance.get("class_rows", ())
    try:
        plain = zlib.decompressobj().decompress(base64.b64decode(text), rows + len(classes) + 1)
    except (binascii.Error, zlib.error, ValueError):
        return None
    parts: list[Floats] = [
        np.frombuffer(part, np.uint8).astype(np.float64) - ord("0") for part in plain.split(b"/")
    ]
    scores = np.concatenate(parts)
    whole = np.isin(scores, (0, 1)).all() and sorted(map(len, parts)) == sorted(classes)
    return parts if whole and scores.sum() == sum(result.right[protocol][-1]) else None
