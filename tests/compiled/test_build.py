"""Kernels are compiled once, anew when anything in them changes, whatever became of the cache."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ablate.compiled import build, forms, slopes

PARTS = {
    "slope": slopes.among_seen,
    "advance": forms.advance,
    "begin": forms.begin,
    "add": forms.add,
    "close": forms.close,
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep kernels in a folder of the test's own."""
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    build._imported.cache_clear()
    return tmp_path / "cache"


def loaded() -> list[int]:
    """Run the smallest kernel, on rows 1, 2 and 3 of nine."""
    y = np.zeros(3, np.int64)
    rows = np.array([1, 2, 3])
    source = build.text(PARTS)
    build.call(source, "load", np.zeros((9, 4)), rows, rows, np.zeros((3, 4)), y)
    return [int(value) for value in y]


def test_a_kernel_is_kept_and_compiled_once(cache: Path) -> None:
    """The module and Numba's files beside it stay as they are when it is called again."""
    assert loaded() == [1, 2, 3]
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    assert len(before) == 3
    build._imported.cache_clear()
    assert loaded() == [1, 2, 3]
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("damage", [b"", b"garbage\n", b"\x80\x04"])
@pytest.mark.parametrize("ending", ["*.nbc", "*.nbi", "*.py"])
def test_a_damaged_cache_is_made_anew(damage: bytes, ending: str, cache: Path) -> None:
    """Emptied, overwritten, cut off."""
    assert loaded() == [1, 2, 3]
    for path in cache.rglob(ending):
        path.write_bytes(damage)
    build._imported.cache_clear()
    assert loaded() == [1, 2, 3]


def test_a_cache_that_cannot_be_written_to_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where the folder should."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "file" / "cache"))
    build._imported.cache_clear()
    assert loaded() == [1, 2, 3]


def test_what_is_compiled_is_named_by_all_that_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another function, an edited file, another version of Numba: another kernel."""
    plain = build._name(build.text(PARTS))
    assert build._name(build.text({**PARTS, "slope": slopes.binary})) != plain
    source = build.inspect.getsource
    with monkeypatch.context() as edited:
        edited.setattr(build.inspect, "getsource", lambda module: source(module) + "# edited\n")
        assert build._name(build.text(PARTS)) != plain
    with monkeypatch.context() as newer:
        newer.setattr(build, "version", lambda name: "9")
        assert build._name(build.text(PARTS)) != plain
    assert build._name(build.text(PARTS)) == plain


def test_a_fault_of_a_component_is_its_own() -> None:
    """It is raised, and nothing is compiled a second time for it."""

    def faulty(error: Exception) -> bool:
        try:
            raise error
        except Exception as raised:
            return build._is_of_the_cache(raised)

    assert not faulty(ValueError("mine"))


def test_the_kernels_blas_has_one_thread() -> None:
    """In a new process, where Numba has not loaded it yet; runs share the cores as processes."""
    code = """
from threadpoolctl import threadpool_info
from ablate.compiled import build
build.one_thread()
print([(i["filepath"], i["num_threads"]) for i in threadpool_info() if i["user_api"] == "blas"])
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    pools = ast.literal_eval(done.stdout)
    assert all(threads == 1 for _, threads in pools)
