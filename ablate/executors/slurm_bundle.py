"""What a batch job does: the stacks of its folder, each in a process of its own, answers as files.

A job that is requeued, and a driver that was killed and is started again, find what is answered.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ablate.types import Json, Lost

PAYLOAD, ANSWER = ".payload", ".answer.json"


@dataclass(frozen=True)
class Bundle:
    """The stacks of a batch job. folder: where payloads and answers lie. names: of its stacks."""

    folder: Path
    names: tuple[str, ...]

    def work(self) -> int:
        """Do what is not answered yet, and give how many stacks that were."""
        from ablate.executors.processes import Processes

        left = [name for name in self.names if not self.answer(name).exists()]
        payloads = [pickle.loads((self.folder / f"{name}{PAYLOAD}").read_bytes()) for name in left]
        with Processes(workers=1).crew() as crew:
            for index, answer in crew.map(payloads):
                message = (
                    {"lost": asdict(answer)} if isinstance(answer, Lost) else {"results": answer}
                )
                write(self.answer(left[index]), json.dumps(message).encode())
        return len(left)

    def answer(self, name: str) -> Path:
        """Give the file of a stack's answer."""
        return self.folder / f"{name}{ANSWER}"

    def put(self, name: str, payload: Json) -> None:
        """Write what a stack's job is told."""
        write(self.folder / f"{name}{PAYLOAD}", pickle.dumps(payload))

    def take_away(self, name: str) -> None:
        """Remove the files of a stack whose results are stored."""
        for suffix in (PAYLOAD, ANSWER):
            (self.folder / f"{name}{suffix}").unlink(missing_ok=True)


def name_of(payload: Json, code: str) -> str:
    """Name a stack by what it runs and the code that runs it: the same in every driver."""
    runs = [run["key"] for run in payload["runs"]]
    content = [payload.get("job", "stack"), runs, payload["predictors"], code]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def read(path: Path) -> Sequence[Json] | Lost | None:
    """Read an answer; None where there is none, or one that is not whole."""
    try:
        answer = json.loads(path.read_bytes())
        return Lost(**answer["lost"]) if "lost" in answer else list(answer["results"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, content: bytes) -> None:
    """Write a file at once, or not at all."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(number, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
