"""Somebody's own training as an arm: a command, or a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ablate.registry import component


@component("method", "external", paper="the user's own code")
@dataclass(frozen=True)
class External:
    """A command or a function that trains and scores with a seed; the toolkit never sees a model.

    metrics: what it is scored by, each with where it is read.
    command: its arguments; {lr} stands for the parameter lr, {seed} for the seed.
    function: `package.module:train`, called as train(seed=..., **params), instead of a command.
    params: its free parameters, each with its value in the base.
    environment: variables that the command gets beside those that there are.
    config: a file of parameters that is written into the run's folder: YAML, JSON or TOML.
    folder: where the command works.
    pairs: digests that it prints of what it drew, for pairing to be audited.
    shell: whether the command is one line for a shell.
    limit_seconds: how long it may take, (0, 1e7].
    retries: how often a run that fails is tried again, [0, 10].
    """

    metrics: dict[str, Any]
    command: tuple[str, ...] = ()
    function: str = ""
    params: dict[str, Any] | None = None
    environment: dict[str, str] | None = None
    config: str = ""
    folder: str = "."
    pairs: tuple[str, ...] = ()
    shell: bool = False
    limit_seconds: float = 86400.0
    retries: int = 0
    outside = True
