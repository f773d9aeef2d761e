"""The arguments of a study in Python -> the text of a suite, which the suite's own reader reads."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import yaml

from ablate.errors import ArgumentError, SelectionError, SuiteError, nearest
from ablate.parsing.located_yaml import DocumentError, read_document
from ablate.source import functions

SEED = "seed"

LARGEST = 10**18  # whole numbers from here on are read as floats

_NO_SCALAR = re.compile(r"[A-Za-z_].*")
"""Text that is no number in any reader of YAML; all other text is put in quotes."""


@dataclass(frozen=True)
class Signature:
    """What a function takes beside its seed. defaults: those that are plain. extra: any name."""

    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    extra: bool


def suite_text(
    question: str,
    run: Callable[..., Any],
    arms: Mapping[str, Mapping[str, Any] | None] | None,
    base: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, Any]],
    claims: Mapping[str, Any],
    sections: Mapping[str, Any],
) -> str:
    """Write a suite of a function. sections: its other keys, as YAML has them.

    claims: `contrasts` (None: every arm against the baseline), `baseline`, `metric` and `margin`.
    Raises SelectionError for what no suite can say.
    """
    if not isinstance(run, FunctionType):
        raise SelectionError(
            f"run is a {type(run).__name__}, whose code cannot be told: give a function, as in "
            "`def train(seed, lr): return score`, which may call it"
        )
    sections = {key: _plain(value, key) for key, value in sections.items()}
    given = _arms(arms)
    signature = signature_of(run)
    params = _params(run, signature, given, _plain(base, "base"), sections)
    program = {
        "function": functions.named(run),
        "params": params,
        "metrics": _plain(metrics, "metrics"),
    }
    factorial = sections.get("factorial")
    if isinstance(factorial, dict):
        sections["factorial"] = _claim(factorial, claims)
    if "ablate" in sections:
        sections["ablate"] = _claim(_left_out(sections), claims)
    contrasts = claims["contrasts"]
    if contrasts is None:
        contrasts = (
            [] if factorial or "ablate" in sections else [*_against(given, claims["baseline"])]
        )
    content = {
        "question": question,
        "base": {"method": {"external": program}},
        **({"arms": given} if given else {}),
        **sections,
        **({"contrasts": [*_contrasts(contrasts, claims)]} if contrasts else {}),
    }
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _left_out(sections: dict[str, Any]) -> dict[str, Any]:
    """Give the block of parts that are left out: a list of switches, parts by name, or all of it.

    `pairs`, `none` and `screen` may stand beside it; `screen=5` is a number of seeds.
    """
    written = sections["ablate"]
    whole = isinstance(written, dict) and "parts" in written
    block = dict(written) if whole else {"parts": written}
    block |= {key: sections.pop(key) for key in ("pairs", "none", "screen") if key in sections}
    if type(block.get("screen")) is int:
        block["screen"] = {"seeds": block["screen"]}
    return block


def signature_of(run: FunctionType) -> Signature:
    """Read what a function takes. Raises SelectionError where it is not given its seed by name."""
    parameters = inspect.signature(run).parameters.values()
    extra = any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {p.name: p.default for p in parameters if p.kind in by_name}
    for parameter in parameters:
        if parameter.kind == parameter.POSITIONAL_ONLY:
            raise SelectionError(
                f"{_called(run)} takes {parameter.name} by its place alone, and is called by "
                f"names: {run.__name__}(seed=..., {parameter.name}=...)"
            )
    if SEED not in named and not extra:
        raise SelectionError(
            f"{_called(run)} takes no seed: add a parameter `seed`, and draw everything from it"
        )
    defaults = {}
    for name, default in named.items():
        if default is not inspect.Parameter.empty and name != SEED:
            try:
                defaults[name] = plain(default)
            except ValueError:  # an arm may still give it, and then every arm has to
                continue
    return Signature(tuple(name for name in named if name != SEED), defaults, extra)


def fault(error: SuiteError, text: str) -> ArgumentError:
    """Say a suite's faults by the arguments that they come from, where nobody wrote the text."""
    try:
        places = read_document(text.encode()).keys
    except DocumentError:
        places = {}
    named = []
    for problem in error.problems:
        before = [key for key, at in places.items() if at.line <= problem.line]
        named.append(("run" if before and before[-1] == "base" else (before or [""])[-1], problem))
    return ArgumentError(named)


def plain(value: Any) -> Any:
    """Turn a parameter into plain data: numbers of NumPy and tuples too. Raises ValueError."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, Mapping):
        return {_text(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    if type(value) is int and abs(value) >= LARGEST:
        raise ValueError(f"{value} has more digits than a suite's whole numbers")
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise ValueError(f"a value of type {type(value).__name__} cannot be written into a suite")


def _text(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{key!r} is a key and no text")
    return key


def _plain(value: Any, where: str) -> Any:
    """Turn an argument into plain data. Raises SelectionError."""
    try:
        return plain(value)
    except ValueError as error:
        raise SelectionError(
            f"{where}: {error}: give its name or its settings, and build it in the function"
        ) from None


def _arms(arms: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Read the arms: names, and the parameters of each. Raises SelectionError."""
    if arms is not None and not isinstance(arms, Mapping):
        raise SelectionError("arms: a mapping is needed: {'full': {}, 'no-aug': {'aug': False}}")
    given = {}
    for name, params in (arms or {}).items():
        if params is not None and not isinstance(params, Mapping):
            raise SelectionError(f"arm {name!r} is {params!r}: give parameters, {{'lr': 0.1}}")
        given[str(name)] = _plain(params or {}, f"arm {name!r}")
    return given


def _params(
    run: FunctionType,
    signature: Signature,
    arms: Mapping[str, Mapping[str, Any]],
    base: Mapping[str, Any],
    sections: Mapping[str, Any],
) -> dict[str, Any]:
    """Give the base's parameters, so that each arm is called as `run(seed, **base, **arm)`.

    A parameter without a default, in the signature or in `base`, has to be given by every arm, by
    an axis of `vary`, or by the levels of a factor. Raises SelectionError.
    """
    for name in base:
        if name not in signature.names and not signature.extra:
            guess = nearest(name, signature.names)
            hint = f": did you mean {guess!r}?" if guess else ""
            known = ", ".join(signature.names) or "none"
            raise SelectionError(f"base: {_called(run)} takes no {name}{hint}; it takes {known}")
    params = {**signature.defaults, **base}
    everywhere = _given_everywhere(sections)
    names = [*signature.names]
    if signature.extra:
        mentioned = (name for params in arms.values() for name in params)
        names = [*dict.fromkeys([*names, *mentioned, *everywhere])]
    optional = {
        name
        for name, parameter in inspect.signature(run).parameters.items()
        if parameter.default is not parameter.empty
    }
    for name in names:
        without = [arm for arm, given in arms.items() if name not in given]
        if name in params:
            continue
        if name in everywhere:
            params[name] = everywhere[name]
        elif arms and not without:
            params[name] = next(iter(arms.values()))[name]
        elif name not in optional or len(without) < len(arms):
            arm = f"arm {without[0]!r}" if without else "the base"
            raise SelectionError(
                f"{_called(run)} needs {name}, which {arm} does not give: give it there, in "
                f"base={{{name!r}: ...}}, or as a plain default in the signature"
            )
    return params


def _given_everywhere(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parameters that axes and factors set in every arm, each with its first value."""
    first = {}
    vary, factorial = sections.get("vary"), sections.get("factorial")
    for name, values in vary.items() if isinstance(vary, dict) else ():
        if isinstance(values, list) and values:
            first[name] = values[0]
    factors = factorial.get("factors") if isinstance(factorial, dict) else None
    for levels in factors.values() if isinstance(factors, dict) else ():
        changes = [*levels.values()] if isinstance(levels, dict) else []
        if changes and all(isinstance(change, dict) for change in changes):
            first |= {k: v for k, v in changes[0].items() if all(k in c for c in changes)}
    return first


def _against(arms: Mapping[str, Any], baseline: str | None) -> Iterator[tuple[str, str]]:
    """Give every arm against the baseline, which is the first unless it is named."""
    base = next(iter(arms), "") if baseline is None else baseline
    if arms and base not in arms:
        guess = nearest(base, arms)
        hint = f" Did you mean {guess!r}?" if guess else ""
        raise SelectionError(f"baseline: there is no arm {base!r}.{hint} Arms: {', '.join(arms)}.")
    yield from ((arm, base) for arm in arms if arm != base)


def _contrasts(contrasts: Any, claims: Mapping[str, Any]) -> Iterator[Any]:
    """Write each contrast as YAML has it. Raises SelectionError for what is none."""
    for contrast in contrasts:
        if isinstance(contrast, Mapping):
            yield _claim(_plain(contrast, "contrasts"), claims)
        elif (
            isinstance(contrast, Sequence) and not isinstance(contrast, str) and len(contrast) == 2
        ):
            treatment, baseline = map(str, contrast)
            yield _claim({"treatment": treatment, "baseline": baseline}, claims)
        else:
            raise SelectionError(
                f"contrasts: {contrast!r} is no contrast; ('no-aug', 'full') is one, treatment "
                "first, or a mapping with treatment, baseline, metric and margin"
            )


def _claim(claim: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the study's metric and margin where a claim does not say its own."""
    whole = {**claim, "metric": claim.get("metric", claims["metric"])}
    if "margin" not in claim:
        if claims["margin"] is None:
            raise SelectionError(
                "margin: none was given: the smallest difference that would matter, in the "
                "metric's unit and chosen before the runs, as in margin=0.01"
            )
        whole["margin"] = _plain(claims["margin"], "margin")
    return whole


def _called(run: FunctionType) -> str:
    return f"{run.__name__}()" if run.__name__.isidentifier() else "the lambda"


class _Dumper(yaml.SafeDumper):
    """Writes YAML that our reader reads back: it takes more for numbers than PyYAML's does."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write what is given twice twice."""
        return True


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _NO_SCALAR.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _written)
