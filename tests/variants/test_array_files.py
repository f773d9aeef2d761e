"""Arrays as people have them: read as meant, or refused in one line before any run."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

from ablate.errors import DataError
from variants.dataset import _files, _npz
from variants.dataset.arrays import NAMES, Arrays

Change = dict[str, Any]


def four(**changes: Any) -> Change:
    """Twelve rows to train and six to test, of three classes, none of them twice."""
    draws = np.random.default_rng(0)
    return {
        "x_train": draws.random((12, 5)),
        "y_train": np.arange(12) % 3,
        "x_test": draws.random((6, 5)),
        "y_test": np.arange(6) % 3,
    } | changes


def save(folder: Path, **changes: Any) -> Arrays:
    np.savez(folder / "mine.npz", **four(**changes))
    return Arrays("mine.npz", tasks=3)


X = four()["x_train"]
Y = np.arange(12) % 3
FIELDS = np.zeros(12, dtype=[("width", "f4"), ("height", "f4")])

REFUSED: dict[str, tuple[Change, str]] = {
    "text labels": ({"y_train": np.array(list("abc"))[Y]}, r"labels are text .* 0, 1, 2"),
    "labels of bytes": ({"y_test": np.array([b"a", b"b"] * 3)}, "labels are text"),
    "labels that are digits as text": ({"y_train": Y.astype("U1")}, "labels are text"),
    "one-hot labels": ({"y_train": np.eye(3)[Y]}, r"one-hot.*np.argmax"),
    "labels in a column": ({"y_train": Y[:, None]}, r"flatten them, y.ravel\(\)"),
    "labels of three dimensions": ({"y_train": Y[:, None, None]}, r"shape \[12, 1, 1\]"),
    "labels of halves": ({"y_train": Y + 0.5}, r"whole number a row; there are \[0.5"),
    "labels that are not numbers": ({"y_train": np.where(Y, Y, np.nan)}, "some are NaN or inf"),
    "labels without end": ({"y_test": np.array([0, 1, 2, np.inf, 1, 2])}, "some are NaN or inf"),
    "labels that are complex": ({"y_train": Y + 0j}, "imaginary part would be lost"),
    "labels below zero": ({"y_train": Y - 1}, r"some are negative \(-1\).*np.unique"),
    "labels that wrapped": ({"y_train": (Y + 127).astype("u1").astype("i1")}, "int8 is too narrow"),
    "labels in a line": ({"y_train": Y[None]}, r"flatten them, y.ravel\(\)"),
    "features before rows": (
        {"x_train": X.T, "x_test": X[:6].T},
        r"Rows seem to be last: np.moveaxis\(x, -1, 0\)",
    ),
    "labels from 1": ({"y_train": Y + 1, "y_test": np.arange(6) % 3 + 1}, "subtract 1"),
    "labels of 2^40": ({"y_train": np.where(Y == 2, 1 << 40, Y)}, "number the classes in order"),
    "labels of 2^63": (
        {"y_train": np.where(Y == 2, np.uint64(1 << 63), Y.astype("u8"))},
        "whole number",
    ),
    "labels with a gap": ({"y_train": Y * 2, "y_test": np.arange(6) % 3 * 2}, "they are 0, 2, 4"),
    "a class that is not tested": ({"y_test": np.arange(6) % 2}, "no row to test of 2"),
    "a class that is not trained": ({"y_train": Y % 2}, "no row to train of 2"),
    "one class alone": ({"y_train": Y * 0, "y_test": np.zeros(6, int)}, "one class alone"),
    "a single label": ({"y_train": np.array(1)}, "y_train is a single value"),
    "a single row value": ({"x_train": np.array(1.0)}, "x_train is a single value"),
    "rows of single numbers": ({"x_train": X[:, 0], "x_test": X[:6, 0]}, "no values of their own"),
    "no rows at all": ({"x_train": X[:0], "y_train": Y[:0]}, "rows without values"),
    "rows without features": ({"x_train": X[:, :0], "x_test": X[:6, :0]}, "rows without values"),
    "other features to test": ({"x_test": X[:6, :4]}, "do not belong together"),
    "more labels than rows": ({"x_train": X[:11]}, "11 rows .* and 12 labels"),
    "complex rows": ({"x_train": X + 1j}, "imaginary part would be lost"),
    "a row that is not a number": (
        {"x_train": np.where(X[7, 0] == X, np.nan, X)},
        "first in row 7",
    ),
    "a row beyond single precision": ({"x_test": X[:6] * 1e300}, "6 of 6 rows to test"),
    "rows of dates": ({"x_train": X.astype("M8[s]")}, "dates"),
    "rows of durations": ({"x_train": X.astype("m8[s]")}, "durations"),
    "rows of text": ({"x_train": X.astype("U9")}, "four arrays of numbers"),
    "rows with named fields": ({"x_train": FIELDS}, "structured_to_unstructured"),
    "Python objects": ({"x_train": np.array([{}] * 12)}, "Python objects .a pickle."),
    "objects inside fields": ({"x_train": np.zeros(12, [("a", object)])}, "Python objects"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arrays_that_mean_nothing_are_refused_with_the_remedy(case: str, tmp_path: Path) -> None:
    """By `look`, so before any run, in one line that names the file."""
    changes, said = REFUSED[case]
    with pytest.raises(DataError, match=said) as caught:
        save(tmp_path, **changes).look(tmp_path)
    assert str(caught.value).count("\n") == 0
    assert "mine.npz" in str(caught.value)


READ: dict[str, Change] = {
    "big-endian": {"x_train": X.astype(">f8"), "y_train": Y.astype(">i2")},
    "by column": {"x_train": np.asfortranarray(X)},
    "half precision": {"x_train": X.astype("f2")},
    "whole numbers": {"x_train": np.arange(60, dtype="i2").reshape(12, 5) % 7},
    "truth values": {"x_train": X > 0.5},
    "labels as floats": {"y_train": Y.astype(float)},
    "labels of one byte": {"y_train": Y.astype("u1")},
}


@pytest.mark.parametrize("case", READ)
def test_arrays_of_any_plain_type_are_read_as_they_are(case: str, tmp_path: Path) -> None:
    """In single precision, row by row in memory; `look` and `load` agree."""
    mine, arrays = save(tmp_path, **READ[case]), four(**READ[case])
    facts, data = mine.look(tmp_path), mine.load(tmp_path)
    assert np.array_equal(data.x_train, np.asarray(arrays["x_train"]).astype("f4"))
    assert np.array_equal(data.y_train, arrays["y_train"])
    assert data.x_train.dtype == np.float32
    assert data.x_train.dtype.isnative
    assert data.x_train.flags.c_contiguous
    assert facts[:4] == ((5,), 3, 12, 6)


def test_the_digest_is_that_of_the_values_whatever_their_layout(tmp_path: Path) -> None:
    """It is pinned: records rest on it."""
    x = np.arange(60, dtype="f4").reshape(12, 5) / 60
    digests = {
        save(tmp_path, x_train=made, x_test=x[:6] + 1).look(tmp_path).digest
        for made in (x, np.asfortranarray(x), x.astype(">f4"), x.astype("f8"))
    }
    assert {digest[:16] for digest in digests} == {"e4dd61f6c3a99900"}


WARNED: dict[str, tuple[Change, str]] = {
    "raw pixels": (
        {"x_train": (X * 255).astype("u1"), "x_test": (X[:6] * 199).astype("u1")},
        "raw pixels of 0 to 255.*divide them by 255",
    ),
    "raw pixels as floats": ({"x_train": np.rint(X * 255)}, "raw pixels"),
    "values in the thousands": ({"x_train": X * 5000}, "root mean square of .*standardise"),
    "one column in the millions": ({"x_train": X * [1, 1, 1, 1, 1e6]}, "standardise"),
    "values near nothing": ({"x_train": X * 1e-6}, "standardise"),
    "a test part that was not scaled": (
        {"x_test": X[:6] * 255},
        "training rows have a root mean square of .* scale both in the same way",
    ),
    "nothing but zeros": ({"x_train": X * 0}, "Every value .* is 0"),
    "test rows that are trained on": ({"x_test": X[:6]}, "6 of 6 test rows are training rows"),
    "one such row": ({"x_test": np.vstack([X[:1], X[1:6] + 1])}, "1 of 6 test rows"),
    "rows that are all the same": ({"x_train": X * 0 + 0.5}, "rows are the same"),
    "values far from their mean": ({"x_train": X * 0.01 + 9}, "hardly differ.*subtract the mean"),
    "one row under three classes": (
        {"x_train": np.vstack([X[:1], X[:1], X[:1], X[3:]])},
        "3 of 12 training rows stand under another class",
    ),
    "a class of very many rows": (
        {
            "x_train": np.random.default_rng(1).random((90, 5)),
            "y_train": np.r_[np.zeros(86, int), 1, 1, 2, 2],
        },
        "2 to 86 rows to train: the small ones weigh little",
    ),
    "a class that fills the test": (
        {
            "x_test": np.random.default_rng(1).random((90, 5)),
            "y_test": np.r_[np.zeros(86, int), 1, 1, 2, 2],
        },
        "2 to 86 rows to test: accuracy over all rows is mostly that of the large",
    ),
    "a class of one row": (
        {"y_train": np.where(np.arange(12) == 4, 2, Y % 2)},
        "1 of 3 classes .* to train: 2",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_arrays_that_are_odd_are_read_and_warned_of(case: str, tmp_path: Path) -> None:
    """One sentence each; the values are not touched."""
    import re

    changes, said = WARNED[case]
    warnings = save(tmp_path, **changes).look(tmp_path).warnings
    assert sum(bool(re.search(said, warning)) for warning in warnings) == 1


def test_usual_arrays_are_not_warned_of(tmp_path: Path) -> None:
    """Unit scale, no row twice, several rows a class."""
    assert save(tmp_path).look(tmp_path).warnings == ()


# --- archives that are not what they say


def members(**changes: Any) -> dict[str, bytes]:
    """Give each array's file, as the archive holds it."""
    made = {}
    for name, array in four(**changes).items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        made[f"{name}.npy"] = buffer.getvalue()
    return made


def archive(folder: Path, parts: dict[str, bytes]) -> Arrays:
    with zipfile.ZipFile(folder / "mine.npz", "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return Arrays("mine.npz", tasks=3)


def header(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": kind, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


DAMAGED: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "a header of 8 EB": (
        lambda m: m | {"x_train.npy": header((1 << 60,))},
        "promises 9,223,372,036,854,775,808",
    ),
    "a header below zero": (
        lambda m: m | {"x_train.npy": header((-12, -5)) + bytes(480)},
        "damaged",
    ),
    "fewer bytes than promised": (
        lambda m: m | {"y_test.npy": m["y_test.npy"][:-8]},
        "promises 48",
    ),
    "more bytes than promised": (
        lambda m: m | {"y_test.npy": m["y_test.npy"] + b"1"},
        "promises 48",
    ),
    "no header": (lambda m: m | {"x_test.npy": b"rows"}, "cannot be read as .npz"),
    "an empty member": (lambda m: m | {"x_test.npy": b""}, "cannot be read as .npz"),
    "a header that is code": (
        lambda m: m | {"x_test.npy": b"\x93NUMPY\x01\x00\x0f\x00__import__('os')"},
        "cannot be read",
    ),
    "an unknown version": (
        lambda m: m | {"x_test.npy": b"\x93NUMPY\x09\x00" + bytes(99)},
        "known: 1.0",
    ),
    "an array missing": (
        lambda m: {k: m[k] for k in m if k != "y_test.npy"},
        "lacks y_test; it has",
    ),
    "an array twice": (lambda m: m | {"x_test": m["x_test.npy"]}, "holds x_test more than once"),
    "other letters": (
        lambda m: {k.replace("x_", "X_"): v for k, v in m.items()},
        "Save X_train as x_train, X_test as x_test",
    ),
    "names of other meaning": (
        lambda m: dict(zip(["a", "b"], m.values(), strict=False)),
        "np.savez",
    ),
    "an array missing whose neighbour is there": (
        lambda m: {k: m[k] for k in m if k != "x_test.npy"},
        r"'y_test'\]\. np\.savez",
    ),
    "no array at all": (lambda _: {}, "lacks x_train, y_train, x_test, y_test"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_archives_are_refused_before_they_are_unpacked(case: str, tmp_path: Path) -> None:
    """Headers are held against sizes."""
    change, said = DAMAGED[case]
    with pytest.raises(DataError, match=said):
        archive(tmp_path, change(members())).look(tmp_path)


OTHERS = {
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "scipy.io.loadmat"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "h5py"),
    "NumPy": (b"\x93NUMPY\x01\x00", "a single array"),
    "pickle": (b"\x80\x04\x95", "a pickle"),
    "gzip": (b"\x1f\x8b\x08", "packed by gzip"),
    "Git": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a server": (b"<!DOCTYPE html>", "a web page"),
    "a spreadsheet": (b"x,y\n1,2\n", "a text, such as a table"),
    "a broken download": (b"PK\x03\x04" + bytes(80), "cut off or damaged"),
    "nobody": (b"", "it is empty"),
    "noise": (bytes(range(128, 228)), "not a zip file"),
}


@pytest.mark.parametrize("tool", OTHERS)
def test_files_of_other_tools_are_refused_by_their_kind(tool: str, tmp_path: Path) -> None:
    """In one line that names the file and how it becomes what is read."""
    content, said = OTHERS[tool]
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        Arrays("mine.npz").look(tmp_path)
    assert str(caught.value).count("\n") == 0


def test_what_torch_saves_is_told_from_an_archive_of_arrays(tmp_path: Path) -> None:
    import torch

    torch.save({name: torch.as_tensor(part) for name, part in four().items()}, tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"torch\.save.*np\.savez"):
        Arrays("a.npz").look(tmp_path)


def test_a_damaged_stream_is_refused(tmp_path: Path) -> None:
    """One bit of packed data: the archive's checksum tells."""
    mine = archive(tmp_path, members())
    content = bytearray((tmp_path / "mine.npz").read_bytes())
    content[300] ^= 1
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        mine.look(tmp_path)


@pytest.mark.parametrize("name", ["folder", "pipe", "text", "half", "nothing", "a" * 300, "a\0b"])
def test_what_is_no_archive_is_refused(name: str, tmp_path: Path) -> None:
    """A folder, a pipe, text, half of a file, no file, names that no file has."""
    import os

    path = tmp_path / f"{name}.npz"
    if name == "folder":
        path.mkdir()
    elif name == "pipe":
        os.mkfifo(path)
    elif name == "text":
        path.write_text("rows")
    elif name == "half":
        archive(tmp_path, members())
        path.write_bytes((tmp_path / "mine.npz").read_bytes()[:400])
    with pytest.raises(DataError):
        Arrays(f"{name}.npz").look(tmp_path)


def test_arrays_larger_than_the_machine_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the sizes in the archive's directory, and by what single precision takes."""
    mine = save(tmp_path, x_train=np.zeros((12, 500), bool), x_test=np.zeros((6, 500), bool))
    monkeypatch.setattr(_files, "memory_bytes", lambda: 10_000)
    with pytest.raises(DataError, match=r"mine.npz needs [\d,]+ bytes of memory"):
        mine.look(tmp_path)
    monkeypatch.setattr(_files, "memory_bytes", lambda: 50_000)
    with pytest.raises(DataError, match="needs 36,000 bytes of memory"):
        mine.look(tmp_path)


BOMB = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from pathlib import Path
from ablate.errors import DataError
from variants.dataset.arrays import Arrays
try:
    Arrays("mine.npz").look(Path(sys.argv[1]))
except DataError as error:
    print(error)
"""


def test_a_zip_bomb_is_refused_in_little_memory(tmp_path: Path) -> None:
    """400 MB of zeros in 400 KB."""
    whole = header((6, 8_388_608)) + bytes(6 * 8_388_608 * 8)
    archive(tmp_path, members() | {"x_test.npy": whole})
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(tmp_path)],
        capture_output=True,
        text=True,
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(filter(None, sys.path))},
        check=True,
    )
    assert "hardly any data do" in done.stdout


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the old rows and half of the new ones are nobody's data."""
    mine, read = save(tmp_path), _npz._array

    def slow(*args: Any) -> Any:
        (tmp_path / "mine.npz").touch()
        return read(*args)

    monkeypatch.setattr(_npz, "_array", slow)
    with pytest.raises(DataError, match="changed while it was read"):
        mine.look(tmp_path)


# --- functions

ANSWERS: dict[str, tuple[str, str | None]] = {
    "lists": ("[[[0, 1], [1, 0], [2, 1], [1, 2]], [0, 1, 0, 1], [[3, 4], [5, 4]], [0, 1]]", None),
    "names": ("dict(x_train=X, y_train=Y, x_test=X[:2] + 9, y_test=Y[:2])", None),
    "tables": ("(pd.DataFrame(X), pd.Series(Y), pd.DataFrame(X[:2] + 9), pd.Series(Y[:2]))", None),
    "tensors": ("tuple(map(torch.tensor, (X, Y, X[:2] + 9, Y[:2])))", None),
    "tensors with a gradient": ("(torch.ones(4, 2, requires_grad=True), Y, X, Y)", "no array"),
    "other names": ("dict(X=X, y=Y)", "returned no x_train.*it returned"),
    "three arrays": ("(X, Y, X)", "returned a tuple of 3; four arrays"),
    "nothing": ("None", "returned a NoneType"),
    "sparse rows": ("(sparse.csr_matrix(X), Y, X, Y)", "sparse .*toarray"),
    "rows of two lengths": ("([[1, 2], [3]], [0, 1], X, Y)", "rectangular"),
    "a table with text": ("(pd.DataFrame({'a': list('wxyz')}), Y, X, Y)", "x_train holds"),
    "masked values": ("(np.ma.masked_less(X, 1), Y, X, Y)", "masked"),
    "other rows each time": ("(np.random.random((4, 2)), Y, X, Y)", "other rows each time"),
    "an error": ("1 / 0", "ZeroDivisionError"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_functions_return_is_read_or_refused(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists, tables and tensors are arrays; what is none is named."""
    answer, said = ANSWERS[case]
    name = f"rows_{list(ANSWERS).index(case)}"
    (tmp_path / f"{name}.py").write_text(
        "import numpy as np, pandas as pd, torch\nfrom scipy import sparse\n"
        "X, Y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])\n"
        f"def rows():\n    return {answer}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = Arrays(f"{name}:rows", tasks=2)
    if said:
        with pytest.raises(DataError, match=said):
            mine.look(tmp_path)
    else:
        assert mine.look(tmp_path)[:4] == ((2,), 2, 4, 2)
        assert [part.dtype.kind for part in mine.load(tmp_path)] == ["f", "i", "f", "i"]


def test_the_four_names_are_those_of_the_docs() -> None:
    """As `list dataset.arrays` shows them."""
    assert all(name in str(Arrays.__doc__) for name in NAMES[:2])
