"""What decides a score is digested: all that a worker imports, and all that a component imports."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate.design.reader import parse_suite, predictors
from ablate.errors import SourceError
from ablate.plan.run_keys import specify
from ablate.records import fingerprints
from ablate.registry import Catalogue
from ablate.source import closure as sources, locating
from tests.conftest import TINY

pytestmark = pytest.mark.slow

MUTATIONS = 200

PLAN = """
import json, sys
from pathlib import Path
from ablate.records.payload import pack
from ablate.plan.run_keys import plan
from ablate.registry import scan
from ablate.design.reader import parse_suite
from ablate.plan.pending import look
from ablate.types import Site
suite = parse_suite(sys.argv[1].encode(), "tiny", "tiny.yaml", scan())
facts = look(suite, scan(), Path("data"), False)
payloads = [pack(stack, Site("data", "cpu")) for stack in plan(suite, scan(), facts).stacks]
print(json.dumps(payloads))
"""

WORK = """
import json, sys
from ablate.executors import worker
from ablate.records import fingerprints
fingerprints.begin()
from ablate.executors.jobs import perform
results = [result for payload in json.loads(sys.stdin.read()) for result in perform(payload)]
ours = [name for name in sys.modules if name.split(".")[0] in ("ablate", "variants", "reports")]
print(json.dumps([[r["status"] for r in results], ours]))
"""


@pytest.fixture
def anew() -> Iterator[None]:
    """Forget what was read of source files, before and after."""
    stores = (sources._READ, sources._CLOSURES, sources._CONFIRMED)
    saved = [store.copy() for store in stores]
    locating.locate.cache_clear()
    yield
    locating.locate.cache_clear()
    locating.is_installed.cache_clear()
    for store, content in zip(stores, saved, strict=True):
        store.clear()
        store.update(content)  # type: ignore[arg-type]


def digested(catalogue: Catalogue, text: str = TINY) -> dict[str, Path]:
    """Give every file that the runs of a suite are told by, by module."""
    suite = parse_suite(text.encode(), "tiny", "tiny.yaml", catalogue)
    files = dict(fingerprints.engine())
    for variant in suite.variants:
        choices = list(specify(variant, 0, suite.precision).choices.values())
        choices += predictors(catalogue, suite.variants)
        for entry in fingerprints.used(choices, catalogue).values():
            files |= fingerprints._part(entry)
    return files


def test_all_that_a_worker_loads_is_digested_or_argued_for(catalogue: Catalogue) -> None:
    """In a process of its own, as a worker runs it: nothing of ours is loaded unseen."""
    python = [sys.executable, "-c"]
    payloads = subprocess.run([*python, PLAN, TINY], capture_output=True, text=True, check=True)
    done = subprocess.run(
        [*python, WORK], input=payloads.stdout, capture_output=True, text=True, check=True
    )
    statuses, loaded = json.loads(done.stdout.splitlines()[-1])
    assert set(statuses) == {"ok"}
    known = {*digested(catalogue), *fingerprints.BESIDE}
    assert {"ablate.training.loop", "ablate.training.inner_loop", "variants.method.meta"} <= set(
        loaded
    )
    assert not {name for name in loaded if name not in known and not _is_empty(name)}


def _is_empty(module: str) -> bool:
    path = locating.locate(module)
    return path is None or path.stat().st_size == 0


def test_the_modules_beside_the_digest_are_few_and_there() -> None:
    """Each with its reason; none that is gone."""
    assert len(fingerprints.BESIDE) <= 10
    assert all(locating.locate(name) and len(why) > 10 for name, why in fingerprints.BESIDE.items())


def test_a_mutation_of_any_file_that_decides_a_score_changes_its_digest(
    catalogue: Catalogue,
) -> None:
    """Constants and operators, drawn from all files together."""
    rng = random.Random(0)
    files = digested(catalogue)
    texts = {name: path.read_bytes() for name, path in files.items()}
    sites = [(name, place) for name, text in texts.items() for place in range(_sites(text))]
    assert len(sites) > 5 * MUTATIONS
    stated = {name: sources.digest({name: path}) for name, path in files.items()}
    for name, text in texts.items():
        written_anew = _mutated(text, -1)
        assert (
            sources.digest({name: files[name]}, lambda _, text=written_anew: text) == stated[name]
        )
    for name, place in rng.sample(sites, MUTATIONS):
        text = _mutated(texts[name], place)
        changed = sources.digest({name: files[name]}, lambda _, text=text: text)
        assert changed != stated[name], f"{name}, site {place}"


def _places(tree: ast.AST) -> list[ast.AST]:
    texts = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    kinds = (ast.BinOp, ast.Compare, ast.UnaryOp, ast.Constant)
    return [node for node in ast.walk(tree) if isinstance(node, kinds) and id(node) not in texts]


def _sites(text: bytes) -> int:
    return len(_places(ast.parse(text)))


def _mutated(text: bytes, place: int) -> bytes:
    """Change the constant or operator at a place; at -1 give the same code, written anew."""
    tree = ast.parse(text)
    node = _places(tree)[place] if place >= 0 else None
    if isinstance(node, ast.BinOp):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    elif isinstance(node, ast.Compare):
        node.ops[0] = ast.Gt() if isinstance(node.ops[0], ast.Lt) else ast.Lt()
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.USub()
    elif isinstance(node, ast.Constant):
        value = node.value
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        node.value = value + 1 if number else not value if isinstance(value, bool) else "other"
    return ast.unparse(ast.fix_missing_locations(tree)).encode()


def test_every_file_counts_in_the_digest_of_several() -> None:
    """Whichever of them is edited."""
    files = dict(list(fingerprints.engine().items())[-6:])
    whole = sources.digest(files)
    for name in files:
        edited = {**files, name: Path("edited")}
        assert whole != sources.digest(
            edited, lambda path: b"x = 1" if path.name == "edited" else path.read_bytes()
        )


FILES = {
    "plug/__init__.py": "from . import shared\n",
    "plug/shared.py": "RATE = 1\n",
    "plug/rules/__init__.py": "",
    "plug/rules/rule.py": """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        from .. import constants as c
        from ..deep.inner import value
        from lone import helper
        if TYPE_CHECKING:
            from .. import typed
        def run():
            from importlib import import_module
            from . import late
            from importlib import import_module as load
            again = __import__
            import_module("plug.built")
            load(".relative", __package__)
            load(".deep.other", "plug")
            again("plug.under")
            load(f"plug.{value}")
            import numpy
            (Path(__file__).parent / "tables" / "rates.json").read_text()
            exec((Path(__file__).parent / "executed.py").read_text())
            (Path(__file__).parents[1] / "names.txt").read_text()
    """,
    "plug/constants.py": "from plug.more import NUMBER\n",
    "plug/more.py": "NUMBER = 1\n",
    "plug/deep/__init__.py": "",
    "plug/deep/inner.py": "value = 1\n",
    "plug/rules/late.py": "",
    "plug/rules/scratch.py": "",
    "plug/built.py": "",
    "plug/typed.py": "",
    "plug/rules/relative.py": "",
    "plug/deep/other.py": "",
    "plug/under.py": "",
    "plug/rules/tables/rates.json": "[1]",
    "plug/rules/tables/unread.json": "[1]",
    "plug/rules/executed.py": "RATE = 1\n",
    "plug/names.txt": "a b",
    "plug/unseen.py": "RATE = 1\n",
    "lone.py": "def helper(): pass\n",
}


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anew: None) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_imports_are_followed_however_they_are_written(plug: Path) -> None:
    """Absolute, relative, in functions, through packages, by names as text; and files beside."""
    closure = sources.closure("plug.rules.rule")
    stems = {str(path.relative_to(plug)) for path in closure.files.values()}
    beside = {"plug/rules/scratch.py", "plug/rules/tables/unread.json"}
    assert stems == set(FILES) - beside - {"plug/typed.py", "plug/unseen.py"}
    assert closure.packages == {"numpy"}


def test_what_a_component_does_not_import_is_no_part_of_it(plug: Path) -> None:
    """A scratch file beside it changes nothing; a helper far away, or a table, does."""
    files = ("scratch.py", "tables/unread.json", "tables/rates.json", "executed.py")
    cases = [*(f"plug/rules/{name}" for name in files), "plug/names.txt", "plug/more.py"]
    for place, name in enumerate(cases):
        whole = sources.digest(sources.closure("plug.rules.rule").files)
        (plug / name).write_text("[2]  # or so\n")
        sources.renew()
        assert (sources.digest(sources.closure("plug.rules.rule").files) != whole) is (place > 1)


def test_digests_are_of_the_moment_when_the_process_began(plug: Path) -> None:
    """A file that is edited later, or is gone, says what it said."""
    whole = sources.digest(sources.closure("plug.rules.rule").files)
    (plug / "plug/more.py").write_text("NUMBER = 2\n")
    assert sources.digest(sources.closure("plug.rules.rule").files) == whole


def test_code_that_changes_while_it_is_loaded_is_not_labelled(
    plug: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, edited, imported: nobody knows which; edited after that, it is what was loaded."""
    files = sources.closure("plug.shared").files
    sources.confirm(files)  # nothing is loaded yet
    (plug / "plug/shared.py").write_text("RATE = 2\n")
    monkeypatch.setitem(sys.modules, "plug.shared", object())
    with pytest.raises(SourceError, match=r"shared\.py was changed while it was being loaded"):
        sources.confirm(files)
    monkeypatch.delitem(sys.modules, "plug.shared")
    sources.renew()
    files = sources.closure("plug.shared").files
    monkeypatch.setitem(sys.modules, "plug.shared", object())
    sources.confirm(files)
    (plug / "plug/shared.py").write_text("RATE = 3\n")
    sources.confirm(files)
    sources.renew()
    assert sources.source(files["plug.shared"], "plug.shared").code == sources.code_digest(
        b"RATE = 2"
    )


def test_a_table_that_changes_while_its_module_is_in_use_is_not_labelled(
    plug: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it was the same before: the module may read it at any time."""
    files = sources.closure("plug.rules.rule").files
    sources.digest(files)
    monkeypatch.setitem(sys.modules, "plug.rules.rule", object())
    for _ in range(2):
        sources.confirm(files)
    (plug / "plug/rules/tables/rates.json").write_text("[2]")
    with pytest.raises(SourceError, match=r"rates\.json was changed"):
        sources.confirm(files)


def test_what_was_loaded_by_a_name_that_stands_nowhere_is_known_afterwards(
    plug: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its digest, which is looked at whenever the record is."""
    known = sources.closure("plug.rules.rule").files
    monkeypatch.setitem(sys.modules, "plug.unseen", object())
    loaded = sources.loaded_beside(known, known)
    assert loaded == {"plug.unseen": plug / "plug/unseen.py"}
    stated = {name: sources.source(path, name).code for name, path in loaded.items()}
    assert fingerprints.changed(stated) == []
    monkeypatch.delitem(sys.modules, "plug.unseen")
    (plug / "plug/unseen.py").write_text("RATE = 2\n")
    sources.renew()
    assert fingerprints.changed(stated) == ["plug.unseen"]
    assert fingerprints.changed({"plug.gone": "digest"}) == ["plug.gone"]


@pytest.mark.parametrize(
    "text", ["x = " + "-" * 50_000 + "1", "x = 0x1" + "0" * 5000, "x = '\ud800'"]
)
def test_code_that_no_parser_takes_counts_with_its_bytes(text: str) -> None:
    """Never a traceback, never nothing."""
    odd = text.encode("utf-8", "surrogatepass")
    assert sources.code_digest(odd) != sources.code_digest(odd + b"\ny = 2")


def test_a_file_that_is_not_there_is_an_error(plug: Path) -> None:
    """It never digests as nothing."""
    (plug / "plug/broken.py").write_text("from ablate.nowhere import x\n")
    with pytest.raises(SourceError, match=r"broken\.py:1: imports ablate\.nowhere, which is not"):
        sources.closure("plug.broken")
    with pytest.raises(SourceError, match="no source of the module plug\\.none"):
        sources.closure("plug.none")
    files = dict(sources.closure("plug.constants").files)
    sources.renew()
    files["plug.more"].unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        sources.digest(files)


def test_every_package_that_a_component_imports_is_stated(catalogue: Catalogue) -> None:
    """By its distribution's name, whichever kind it is of."""
    names = {"torch"}
    for entry in catalogue.components.values():
        if entry.kind not in ("executor", "test"):
            names |= sources.closure(entry.module).packages
    assert {"scikit-learn", "torchvision", "pillow", "scipy"} <= set(
        fingerprints.distributions(frozenset(names))
    )
