"""A public name of a component that is nearly a hook is a slip, and is named with the hook."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from ablate.core.component_source import Component, read_components
from ablate.errors import CatalogueError
from ablate.registry import _add, scan
from ablate.source.hooks import ANY_KIND, FACTS, faults, hooks, slip


@pytest.mark.parametrize(
    ("kind", "name", "hook"),
    [
        ("method", "gradient", "gradients"),
        ("method", "feature", "features"),
        ("method", "stackabel", "stackable"),
        ("method", "Finish", "finish"),
        ("method", "rewiev", "review"),
        ("method", "paramters", "parameters"),
        ("method", "review_gradient", "review_gradients"),
        ("optimizer", "inti", "init"),
        ("memory", "quotas", "quota"),
        ("predict", "orcale", "oracle"),
        ("update", "cary", "carry"),
        ("dataset", "fetsh", "fetch"),
        ("augment", "draw", "draws"),
        ("loss", "own_tasks", "own_task"),
    ],
)
def test_what_is_nearly_a_hook_is_named_with_it(kind: str, name: str, hook: str) -> None:
    """Misspelt, in another case, in the singular, with letters swapped."""
    assert slip(kind, [name], []) == (name, hook)
    assert slip(kind, [f"_{name}"], []) is None
    assert slip(kind, [name], [name]) is None
    assert slip(kind, [name, hook], []) is None


@pytest.mark.parametrize("name", ["step_size", "start_task", "prototype", "importance", "unpack"])
def test_names_of_ones_own_are_left_alone(name: str) -> None:
    """What is like no hook is a helper."""
    assert slip("method", [name], []) is None


def test_every_hook_of_our_own_components_is_known() -> None:
    """What ours define is either in the table or a name of their own, and none is a slip."""
    used = {
        (entry.kind, name)
        for entry in scan().components.values()
        for name in [*entry.methods, *entry.facts]
        if not name.startswith("_")
    }
    unknown = {
        (kind, name)
        for kind, name in used
        if name not in ANY_KIND.union(hooks(kind), FACTS.get(kind, ()))
    }
    assert unknown == set()


def component(body: str, old: str = "", new: str = "") -> Component:
    """Read a method with one public name more, and one text in the place of another."""
    source = f"""
    @component("method", "mine", paper="me")
    @dataclass(frozen=True)
    class Mine:
        \"\"\"It learns.\"\"\"

        training: Training
        {body}

        def start(self, theta, net):
            return theta

        def step(self, state, batch, net):
            return state
    """
    source = source.replace(old, new) if old else source
    (entry,) = read_components(textwrap.dedent(source), "mine", "mine.py")
    return entry


@pytest.mark.parametrize("body", ["stackabel = False", "def gradient(self, rows): return rows"])
def test_such_a_component_is_refused_when_it_is_scanned(body: str) -> None:
    """With the file, the component and the hook; its proper spelling is taken."""
    with pytest.raises(CatalogueError, match=r"mine\.py: method\.mine has .* nearest: "):
        _add({}, component(body))
    entry = component("stackable = False")
    known: dict[tuple[str, str], Component] = {}
    _add(known, replace(entry, name="other"))
    assert known


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def step(", "def _step(", "has no method 'step', which every method has"),
        ("training: Training", "", "has no field or attribute 'training', which every method has"),
        (
            "step(self, state, batch, net)",
            "step(self, state, tasks, clock, net, sizes)",
            r"has step\(state, tasks, clock, net, sizes\), which is called as "
            r"step\(state, batch, net\)",
        ),
        ("start(self, theta, net)", "start(self)", r"has start\(\), which is called as start"),
    ],
)
def test_what_keeps_a_component_from_being_one_of_its_kind_is_said(
    old: str, new: str, said: str
) -> None:
    """A member that is missing, a hook that is called otherwise."""
    with pytest.raises(CatalogueError, match=rf"mine\.py: method\.mine {said}"):
        _add({}, component("", old, new))


def test_a_kind_that_is_nearly_ours_is_a_slip_and_a_new_one_is_new() -> None:
    """Another package may bring kinds of its own."""
    (fault,) = faults(replace(component(""), kind="methods"))
    assert fault == "is of a kind 'methods', which nothing asks for; nearest: 'method'"
    assert not list(faults(replace(component(""), kind="critic")))


def test_hooks_with_parameters_to_spare_are_let_be() -> None:
    """A default, `*more` or a decorator: how it may be called cannot be read off."""
    for body in ("def finish(self, state, clock, net, more=1): ...", "def logits(self, *all): ..."):
        assert not list(faults(component(body)))


def test_an_alias_needs_no_members() -> None:
    """It is only what it expands into."""
    entry = scan().get("update", "reptile")
    assert "__call__" not in entry.methods
    assert not list(faults(entry))
