"""Arrays of any kind -> rows in single precision and whole labels, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ablate.errors import DataError
from ablate.types import Data, Ints

from . import _files

KINDS = {
    "c": "complex numbers, whose imaginary part would be lost: give two real features each",
    "M": "dates: give numbers, as in (x - x.min()) / np.timedelta64(1, 's')",
    "m": "durations: give numbers, as in x / np.timedelta64(1, 's')",
    "O": "Python objects of mixed kinds or lengths: give one rectangular array of numbers",
    "S": "text: give numbers",
    "U": "text: give numbers",
    "T": "text: give numbers",
    "V": "records with named fields: give one array, as by "
    "numpy.lib.recfunctions.structured_to_unstructured",
}
"""Kinds of NumPy types that are no plain numbers, and what to do."""


def data_of(arrays: Mapping[str, Any], where: str) -> Data:
    """Turn x_train, y_train, x_test and y_test into a data set; a DataError names the part."""
    parts = {name: _array(value, f"{where}: {name}") for name, value in arrays.items()}
    _files.fits(4 * (parts["x_train"].size + parts["x_test"].size), where)
    x, x_test = (_rows(parts[name], f"{where}: {name}") for name in ("x_train", "x_test"))
    y, y_test = (labels_of(parts[name], f"{where}: {name}") for name in ("y_train", "y_test"))
    return Data(x, y, x_test, y_test)


def _array(value: Any, where: str) -> np.ndarray[Any, Any]:
    """Make an array of lists, tensors, tables ...; a stranger's type may raise anything."""
    if hasattr(value, "toarray"):  # SciPy's sparse matrices would become one object
        raise DataError(f"{where} is sparse ({type(value).__name__}): give x.toarray().")
    if np.ma.isMaskedArray(value) and np.ma.is_masked(value):
        raise DataError(f"{where} has masked values: fill them in, or leave these rows out.")
    try:
        array = np.asarray(value)
    except Exception as error:
        raise DataError(
            f"{where} is no array ({type(value).__name__}: {error}): give one rectangular array of "
            "plain numbers on the CPU."
        ) from error
    if array.ndim == 0:
        raise DataError(
            f"{where} is a single value ({type(value).__name__}), not an array of rows."
        )
    return array


def _rows(array: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    if remedy := KINDS.get(array.dtype.kind):
        raise DataError(f"{where} holds {remedy}; four arrays of numbers are needed.")
    with np.errstate(over="ignore"):  # what is beyond single precision is refused as not finite
        return np.ascontiguousarray(array, dtype=np.float32)


def labels_of(array: np.ndarray[Any, Any], where: str) -> Ints:
    """Give labels as whole numbers `[N]`. Raises DataError, with what to do, where they are not."""
    if array.dtype.kind in "SUTO" and array.size and isinstance(array.flat[0], str | bytes):
        first = ", ".join(repr(str(label)) for label in array.ravel()[:3].tolist())
        raise DataError(
            f"{where}: labels are text ({first} ...); number them 0, 1, 2 ..., in one order for "
            "both parts, as by np.unique(y, return_inverse=True)[1]."
        )
    if remedy := KINDS.get(array.dtype.kind):
        raise DataError(f"{where}: labels are {remedy}.")
    if array.ndim != 1:
        raise DataError(
            f"{where}: labels must be one whole number a row, shape [N]; {_many(array)}"
        )
    if not np.isfinite(array).all():
        raise DataError(f"{where}: labels must be whole numbers; some are NaN or inf.")
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        other = array[whole != array][:3].tolist()
        raise DataError(f"{where}: labels must be one whole number a row; there are {other}.")
    return whole


def _many(array: np.ndarray[Any, Any]) -> str:
    """Say what labels of several dimensions seem to be."""
    shape = list(array.shape)
    if array.ndim == 2 and 1 in array.shape:
        return f"they have the shape {shape}: flatten them, y.ravel()."
    if array.ndim == 2 and array.size and ((array != 0).sum(1) == 1).all() and array.max() == 1:
        return f"they are one-hot, of the shape {shape}: give np.argmax(y, 1)."
    return f"they have the shape {shape}."
