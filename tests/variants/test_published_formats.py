"""Files in the published formats that are not what they say: sizes are checked before reading."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from ablate.errors import DataError
from tests.variants.test_datasets import write_idx
from tests.variants.test_image_data import save as save_picture, write_omniglot, write_svhn
from variants.dataset import _files
from variants.dataset._idx import FILES
from variants.dataset.mnist import MNIST
from variants.dataset.omniglot import Omniglot
from variants.dataset.svhn import SVHN

IMAGES, LABELS = FILES[:2]


def header(*shape: int) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in shape)
    return bytes([0, 0, 8, len(shape)]) + sizes


PLAIN = header(30, 28, 28) + bytes(30 * 784)
ZIPPED = gzip.compress(PLAIN)

IDX: dict[str, tuple[str, bytes, str]] = {
    "truncated": (IMAGES, PLAIN[:-9], f"{IMAGES} is damaged.*promises 23,520.*holds 23,511"),
    "too long": (IMAGES, PLAIN + b"x", f"{IMAGES} is damaged.*promises 23,520.*holds 23,521"),
    "a wrong magic number": (
        IMAGES,
        b"\0\0\x0b" + PLAIN[3:],
        f"{IMAGES} .*begins with 00 00 0b 03",
    ),
    "too few dimensions": (IMAGES, header(30) + bytes(30), f"{IMAGES} is no IDX.*00 00 08 01, not"),
    "too few labels": (
        LABELS,
        header(29) + bytes(29),
        f"30 images and 29 labels .*{IMAGES}, {LABELS}",
    ),
    "gzip, cut short": (f"{IMAGES}.gz", ZIPPED[:-12], f"{IMAGES}.gz is damaged.*cut short"),
    "gzip of a truncated file": (
        f"{IMAGES}.gz",
        gzip.compress(PLAIN[:-9]),
        f"{IMAGES}.gz is damaged.*promises 23,520.*holds 23,511",
    ),
    "gzip of too much": (f"{IMAGES}.gz", gzip.compress(PLAIN + b"x"), f"{IMAGES}.gz .*holds more"),
    "gzip of nothing": (f"{IMAGES}.gz", gzip.compress(b""), f"{IMAGES}.gz is no IDX.*with nothing"),
    "gzip of another kind": (f"{IMAGES}.gz", gzip.compress(b"text" * 9), f"{IMAGES}.gz is no IDX"),
    "gzip that is none": (f"{IMAGES}.gz", PLAIN, f"{IMAGES}.gz is damaged as a gzip file"),
    "gzip with another checksum": (
        f"{IMAGES}.gz",
        ZIPPED[:-8] + b"0000" + ZIPPED[-4:],
        f"{IMAGES}.gz is damaged as a gzip file.*CRC",
    ),
    "gzip of a header of 73 EB": (
        f"{IMAGES}.gz",
        gzip.compress(header(*[4_294_967_295] * 3)),
        f"{IMAGES}.gz is damaged.*promises 79,228",
    ),
    "a header of 73 EB": (IMAGES, header(*[4_294_967_295] * 3), "promises 79,228"),
    "a header of no rows": (IMAGES, header(0, 28, 28), "0 images"),
    "images of no pixels": (IMAGES, header(30, 0, 28), "do not belong together"),
    "images of another size": (IMAGES, header(30, 2, 2) + bytes(120), r"\[2, 2\] and \[28, 28\]"),
    "a header cut short": (IMAGES, header(30, 28, 28)[:9], "no IDX file of 3 dimensions"),
    "labels of 32 bits": (LABELS, bytes([0, 0, 12, 1, 0, 0, 0, 30]) + bytes(120), "no IDX file"),
    "an empty file": (LABELS, b"", "no IDX file"),
    "labels from 1": (LABELS, header(30) + bytes(i % 10 + 1 for i in range(30)), "no row to train"),
    "a label of 255": (LABELS, header(30) + bytes([255]) * 30, "number the classes in order"),
}


@pytest.mark.parametrize("case", IDX)
def test_idx_files_that_are_not_what_they_say_are_refused(case: str, tmp_path: Path) -> None:
    """By their headers and sizes; the file is named, and what is wrong with it."""
    name, content, said = IDX[case]
    folder = write_idx(tmp_path)
    (folder / name.removesuffix(".gz")).unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        MNIST().look(tmp_path)


def mat(root: Path, **changes: Any) -> None:
    draws = np.random.default_rng(0)
    held = {
        "X": draws.integers(0, 256, (32, 32, 3, 30), dtype=np.uint8),
        "y": np.arange(30)[:, None] % 10 + 1,
    }
    savemat(root / "SVHN" / "train_32x32.mat", held | changes, do_compression=True)


def cut_in_the_images(root: Path) -> None:
    """Labels first, so that they can be read; the images' stream is damaged."""
    path = root / "SVHN" / "train_32x32.mat"
    content = bytearray(path.read_bytes())
    content[40_000] ^= 255
    path.write_bytes(content)


MAT: dict[str, tuple[Callable[[Path], None], str]] = {
    "a label of 11": (lambda root: mat(root, y=np.arange(30) % 10 + 2), "labels must be 1 to 10"),
    "labels of halves": (lambda root: mat(root, y=np.arange(30) / 2), "labels must be 1 to 10"),
    "labels that are text": (lambda root: mat(root, y=["a"] * 30), r"train_32x32.mat.*Replace it"),
    "no labels": (lambda root: mat(root, y=np.zeros(0)), "for 0 labels"),
    "images as floats": (lambda root: mat(root, X=np.zeros((32, 32, 3, 30))), "it is of double"),
    "images row by row": (
        lambda root: mat(root, X=np.zeros((30, 32, 32, 3), np.uint8)),
        r"\(30, 32, 32, 3\) for 30 labels",
    ),
    "a damaged stream": (cut_in_the_images, r"train_32x32.mat is damaged"),
}


@pytest.mark.parametrize("case", MAT)
def test_mat_files_that_are_not_what_they_say_are_refused(case: str, tmp_path: Path) -> None:
    """When looked at, so before any run; the images of a file of one's own are read then."""
    write_svhn(tmp_path)
    mat(tmp_path)
    assert SVHN().look(tmp_path).train_rows == 30
    change, said = MAT[case]
    change(tmp_path)
    with pytest.raises(DataError, match=said):
        SVHN().look(tmp_path)


def test_drawings_are_listed_alike_and_decoded_before_any_run(tmp_path: Path) -> None:
    """Hidden files and folders by the name of a drawing are none."""
    folder = write_omniglot(tmp_path)
    made, character = Omniglot(tasks=3, side=14), folder / "Alpha" / "character01"
    (character / "._0.png").write_bytes(b"\0\5\x16\7")
    (character / "y.png").mkdir()
    (folder / "Alpha" / "character99").write_text("no folder")
    save_picture(folder / ".hidden" / "character01" / "0.png", 1)
    facts, data = made.look(tmp_path), made.load(tmp_path)
    assert facts[1:4] == (3, len(data.y_train), len(data.y_test)) == (3, 18, 6)
    (character / "0000_03.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 picture of 24 cannot be read: .*0000_03.png"):
        made.look(tmp_path)


@pytest.mark.parametrize("kind", ["mnist", "svhn", "omniglot"])
def test_files_larger_than_the_machine_are_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what they would take in single precision."""
    write, made = {
        "mnist": (write_idx, MNIST()),
        "svhn": (write_svhn, SVHN()),
        "omniglot": (write_omniglot, Omniglot(tasks=3)),
    }[kind]
    write(tmp_path)
    monkeypatch.setattr(_files, "memory_bytes", lambda: 1000)
    with pytest.raises(DataError, match="bytes of memory, more than half of this machine's"):
        made.look(tmp_path)


SPARSE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from pathlib import Path
from ablate.errors import DataError
from variants.dataset.mnist import MNIST
try:
    MNIST().look(Path(sys.argv[1]))
except DataError as error:
    print(error)
"""


def test_files_that_hold_nothing_but_their_size_are_refused_in_little_memory(
    tmp_path: Path,
) -> None:
    """A sparse file of a terabyte whose header agrees with its size."""
    folder, rows = write_idx(tmp_path), 1 << 31
    for name, shape in ((IMAGES, (rows, 28, 28)), (LABELS, (rows,))):
        with (folder / name).open("wb") as file:
            file.write(header(*shape))
            file.truncate(len(header(*shape)) + int(np.prod(shape)))
    done = subprocess.run(
        [sys.executable, "-c", SPARSE, str(tmp_path)],
        capture_output=True,
        text=True,
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(filter(None, sys.path))},
        check=True,
    )
    assert "bytes of memory" in done.stdout


def test_a_file_that_may_not_be_read_is_an_error_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may read everything, so the refusal is put in."""
    write_idx(tmp_path)

    def forbidden(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte cannot be read: Permission"):
        MNIST().look(tmp_path)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        _files.md5(tmp_path / "any")
