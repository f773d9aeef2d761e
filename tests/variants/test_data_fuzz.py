"""Data files with random damage: read, or refused with a DataError; nothing else, and quickly."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from ablate.errors import DataError
from variants.dataset import _pictures
from variants.dataset._idx import FILES
from variants.dataset.arrays import Arrays
from variants.dataset.mnist import MNIST
from variants.dataset.svhn import SVHN

MUTATIONS = 200


def npz(root: Path) -> tuple[Path, Callable[[], object]]:
    draws = np.random.default_rng(0)
    y, path = np.arange(12) % 3, root / "a.npz"
    np.savez_compressed(
        path, x_train=draws.random((12, 5)), y_train=y, x_test=draws.random((6, 5)), y_test=y[:6]
    )
    return path, lambda: Arrays("a.npz").load(root) and Arrays("a.npz").look(root)


def idx(root: Path) -> tuple[Path, Callable[[], object]]:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in FILES:
        shape = (4, 3, 3) if "idx3" in name else (4,)
        head = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
        values = np.arange(np.prod(shape)) % 2
        (folder / name).write_bytes(head + values.astype("u1").tobytes())
    return folder / FILES[1], lambda: MNIST().look(root) and MNIST().load(root)


def svhn(root: Path) -> tuple[Path, Callable[[], object]]:
    (root / "SVHN").mkdir()
    for part in ("train", "test"):
        rows = np.zeros((32, 32, 3, 2), np.uint8)
        savemat(root / "SVHN" / f"{part}_32x32.mat", {"X": rows, "y": [[10], [1]]})
    path = root / "SVHN" / "train_32x32.mat"
    return path, lambda: SVHN().look(root) and SVHN().load(root)


def picture(ending: str) -> Callable[[Path], tuple[Path, Callable[[], object]]]:
    def made(root: Path) -> tuple[Path, Callable[[], object]]:
        path = root / f"a.{ending}"
        pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path, lambda: _pictures.check([path], root, 4) or _pictures.read(path, 4, True)

    return made


def damaged(whole: bytes, seed: int) -> Iterator[bytes]:
    """Give the bytes with some changed, some taken out, some put in, some of them extreme."""
    draws = np.random.default_rng(seed)
    for _ in range(MUTATIONS):
        content = bytearray(whole)
        for _ in range(int(draws.integers(1, 5))):
            at, kind = int(draws.integers(len(content) + 1)), draws.integers(5)
            if kind == 0 and at < len(content):
                content[at] ^= 1 << int(draws.integers(8))
            elif kind == 1:
                content[at : at + 4] = draws.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
            elif kind == 2:
                del content[at : at + int(draws.integers(1, 30))]
            elif kind == 3:
                content[at:at] = draws.bytes(int(draws.integers(1, 30)))
            elif len(content) > 50:
                del content[max(50, at) :]
        yield bytes(content)


KINDS = {
    "npz": npz,
    "idx": idx,
    "svhn": svhn,
    **{ending: picture(ending) for ending in ("png", "jpg", "bmp", "tif", "webp", "ppm")},
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused_and_nothing_else(kind: str, tmp_path: Path) -> None:
    """What is read has passed every check; most of the damage is found."""
    path, use = KINDS[kind](tmp_path)
    use()
    refused: list[str] = []
    for content in damaged(path.read_bytes(), seed=len(kind)):
        path.write_bytes(content)
        try:
            use()
        except DataError as error:
            refused.append(str(error))
    assert not any("\n" in said for said in refused)
    assert len(refused) > (0 if kind in ("bmp", "ppm", "tif", "jpg") else MUTATIONS // 3)


def test_damage_is_the_same_every_time() -> None:
    """So that a failure can be looked into."""
    whole = io.BytesIO(bytes(range(200))).getvalue()
    assert list(damaged(whole, 1)) == list(damaged(whole, 1)) != list(damaged(whole, 2))
