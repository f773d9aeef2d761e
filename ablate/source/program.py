"""What an arm that is a command or a function says: its program, its parameters, its metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SEED, FOLDER, CONFIG = "seed", "run_folder", "config"
RESERVED = (SEED, FOLDER, CONFIG)
"""Names that stand for what every run has: its seed, its own folder, the file of its parameters."""

FIELD = re.compile(r"\{\{|\}\}|\{([A-Za-z_][\w.-]*)\}")
"""A name in braces; doubled braces stand for themselves."""

STDOUT = "stdout"


@dataclass(frozen=True)
class Metric:
    """One score of a program: where it is read, and which way it is better.

    source: `stdout`, or a file of the run's folder (`.json`, `.jsonl`, `.csv`, `.parquet`).
    key: its name there, dotted where it lies inside others. pattern: a regular expression with one
    group, instead of a key. step: the name of the step beside it, of a curve. low, high: the range
    that its scores can have.
    """

    name: str
    source: str = STDOUT
    key: str = ""
    pattern: str = ""
    step: str = ""
    lower: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Program:
    """A command with its parameters, as a method's settings hold it.

    command: its arguments, `{name}` standing for a parameter, the seed, the run's folder or the
    file of its parameters. function: `module:name` that is called instead. environment: variables
    that it gets. config: the name of a file of the parameters in the run's folder, YAML, JSON or
    TOML by its ending. shell: the arguments are one line for a shell. limit: seconds. retries: how
    often a run that fails is tried again. draws: names of digests that it prints of what it drew.
    """

    command: Sequence[str] = ()
    function: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Metric] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    shell: bool = False
    limit: float = 86_400.0
    retries: int = 0
    draws: Sequence[str] = ()
    folder: str = "."


def read(settings: Mapping[str, Any]) -> Program:
    """Read the settings of an external method, which its suite has checked."""
    metrics = [
        Metric(
            name,
            source=spec.get("from", STDOUT),
            key=spec.get("key", name),
            pattern=spec.get("pattern", ""),
            step=spec.get("step", ""),
            lower=spec.get("better", "higher") == "lower",
            low=(spec.get("range") or [None, None])[0],
            high=(spec.get("range") or [None, None])[1],
        )
        for name, spec in settings["metrics"].items()
    ]
    return Program(
        command=tuple(settings.get("command") or ()),
        function=settings.get("function", ""),
        params=dict(settings.get("params") or {}),
        metrics=tuple(metrics),
        environment=dict(settings.get("environment") or {}),
        config=settings.get("config", ""),
        shell=settings.get("shell", False),
        limit=settings.get("limit_seconds", 86_400.0),
        retries=settings.get("retries", 0),
        draws=tuple(settings.get("pairs") or ()),
        folder=settings.get("folder", "."),
    )


def names_in(text: str) -> Iterator[str]:
    """Give the names in braces of a text.

    >>> list(names_in("--lr={lr} {{not}} {seed}"))
    ['lr', 'seed']
    """
    return (match[1] for match in FIELD.finditer(text) if match[1])


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Put values in the place of names in braces.

    >>> filled("--lr={lr} {{x}}", {"lr": 0.1})
    '--lr=0.1 {x}'
    """

    def value(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0][0]
        return words(values[match[1]])

    return FIELD.sub(value, text)


def words(value: Any) -> str:
    """Write a parameter as it is typed on a command line: text as it is, all else as JSON.

    >>> words(True), words(None), words(1e-3), words("adam"), words([1, 2])
    ('true', 'null', '0.001', 'adam', '[1, 2]')
    """
    return value if isinstance(value, str) else json.dumps(value)


def values(program: Program, seed: int, folder: Path) -> dict[str, Any]:
    """Give what every name in braces stands for in a run."""
    known = {SEED: seed, FOLDER: str(folder), CONFIG: str(folder / program.config)}
    return {**program.params, **known}


def arguments(program: Program, seed: int, folder: Path) -> list[str]:
    """Give the arguments of a run."""
    known = values(program, seed, folder)
    return [filled(argument, known) for argument in program.command]


def write_config(program: Program, seed: int, folder: Path) -> None:
    """Write the parameters of a run, and its seed, to the file that the program reads."""
    if not program.config:
        return
    path, content = folder / program.config, {**program.params, SEED: seed}
    if path.suffix == ".json":
        text = json.dumps(content, indent=2)
    elif path.suffix == ".toml":
        text = _toml(content)
    else:
        import yaml

        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    path.write_text(text, "utf-8")


def _toml(content: Mapping[str, Any], prefix: str = "") -> str:
    """Write TOML: JSON's scalars and lists are TOML's, but for null, which it lacks."""
    plain = {key: value for key, value in content.items() if not isinstance(value, Mapping)}
    lines = [
        f"{json.dumps(key)} = {json.dumps(value)}"
        for key, value in plain.items()
        if value is not None
    ]
    for key, value in content.items():
        if isinstance(value, Mapping):
            name = f"{prefix}{json.dumps(key)}"
            lines += [f"[{name}]", _toml(value, f"{name}.")]
    return "\n".join(lines) + "\n"
