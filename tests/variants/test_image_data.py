"""Readers of image data, on small files in the real on-disk formats, made here."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.io import savemat

from ablate.errors import DataError
from cli import main
from variants.dataset import _files, cifar10, cifar100, omniglot
from variants.dataset.cifar10 import CIFAR10
from variants.dataset.cifar100 import CIFAR100
from variants.dataset.glyphs import Glyphs, characters
from variants.dataset.image_folder import ImageFolder
from variants.dataset.omniglot import Omniglot
from variants.dataset.svhn import SVHN

DRAWS = np.random.default_rng(0)


# --- SVHN: MAT files


def write_svhn(root: Path, rows: int = 30) -> Path:
    folder = root / "SVHN"
    folder.mkdir(parents=True)
    for part, count in (("train", rows), ("test", 20)):
        x = DRAWS.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        y = np.arange(count)[:, None] % 10 + 1  # the digit 0 is stored as 10
        savemat(folder / f"{part}_32x32.mat", {"X": x, "y": y})
    return folder


def test_svhn_is_read_from_mat_files_and_marked_as_custom(tmp_path: Path) -> None:
    """Shapes from the files, label 10 is the digit 0, channels before places."""
    write_svhn(tmp_path)
    facts, data = SVHN().look(tmp_path), SVHN().load(tmp_path)
    assert facts[:4] == ((3, 32, 32), 10, 30, 20)
    assert facts.mark == "custom data"
    assert data.x_train.shape == (30, 3, 32, 32)
    assert data.y_train[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    again = SVHN(mean=(0.0,), sd=(1.0,), train_per_class=2).load(tmp_path)
    assert len(again.y_train) == SVHN(train_per_class=2).look(tmp_path).train_rows == 20
    assert np.allclose(data.x_train[0, 1], (again.x_train[0, 1] - 0.456) / 0.224, atol=1e-5)


def test_the_published_digests_take_the_mark_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever files carry them."""
    folder = write_svhn(tmp_path)
    genuine = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    monkeypatch.setattr("variants.dataset.svhn.MD5", genuine)
    assert SVHN().look(tmp_path).mark == ""


def test_damaged_and_missing_svhn_files_are_named(tmp_path: Path) -> None:
    """Truncated in the header, truncated in the data, of the wrong shape, or not there."""
    with pytest.raises(DataError, match=r"SVHN lacks train_32x32.mat, test_32x32.mat.*data-root"):
        SVHN().look(tmp_path)
    folder = write_svhn(tmp_path)
    whole = (folder / "train_32x32.mat").read_bytes()
    for part in (whole[:50], whole[: len(whole) // 2], b"text" * 100):
        (folder / "train_32x32.mat").write_bytes(part)
        with pytest.raises(DataError, match=r"train_32x32.mat.*Replace it"):
            SVHN().look(tmp_path)
    savemat(folder / "train_32x32.mat", {"X": np.zeros((8, 8, 3, 4), np.uint8), "y": np.ones(4)})
    with pytest.raises(DataError, match=r"\(8, 8, 3, 4\) for 4 labels; \(32, 32, 3, rows\)"):
        SVHN().look(tmp_path)


# --- CIFAR: pickles


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, labels: str) -> Path:
    """Write every file of a CIFAR with two rows a class, and publish their digests."""
    folder: Path = root / kind.PUBLISHED.folder
    folder.mkdir(parents=True)
    classes = 10 if labels == "labels" else 100
    names = [*kind.PUBLISHED.md5]
    for name in names:
        y = [i % classes for i in range(2 * classes)]
        rows = DRAWS.integers(0, 256, (len(y), 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": rows, labels: y}))
    digests = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in names}
    monkeypatch.setattr(kind, "PUBLISHED", replace(kind.PUBLISHED, md5=digests))
    return folder


@pytest.mark.parametrize(
    ("kind", "made", "labels", "rows"),
    [(cifar10, CIFAR10(), "labels", 100), (cifar100, CIFAR100(), "fine_labels", 200)],
    ids=["cifar10", "cifar100"],
)
def test_cifar_is_read_from_the_published_pickles(
    kind: Any, made: Any, labels: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, labels, channels before places, normalised by channel."""
    folder = write_cifar(tmp_path, monkeypatch, kind, labels)
    facts, data = made.look(tmp_path), made.load(tmp_path)
    assert facts[1:4] == (int(data.y_test.max()) + 1, rows, len(data.y_test))
    assert facts.mark == ""
    assert data.x_train.shape == (rows, 3, 32, 32)
    first = pickle.loads((folder / next(iter(kind.PUBLISHED.md5))).read_bytes())["data"][0]
    expected = (first.reshape(3, 32, 32)[2] / 255 - made.mean[2]) / made.sd[2]
    assert np.allclose(data.x_train[0, 2], expected, atol=1e-5)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> Any:
        return (open, (self.target, "w"))


def test_a_foreign_pickle_is_refused_and_never_opened(tmp_path: Path) -> None:
    """Its code does not run; the error names the file, the digest and the remedy."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in cifar10.PUBLISHED.md5:
        (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    for use in (CIFAR10().look, CIFAR10().load):
        with pytest.raises(DataError, match=r"data_batch_1 has the MD5.*runs code.*`arrays`"):
            use(tmp_path)
    assert not (tmp_path / "exploded").exists()


# --- images in folders


def save(path: Path, value: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


def write_folder(root: Path) -> Path:
    for part, rows in (("train", 3), ("val", 2)):
        for c, name in enumerate(("ant", "bee")):
            for row in range(rows):
                save(root / "mine" / part / name / f"{row}.png", 100 * c + row, (12, 8))
    return root / "mine"


def test_an_image_folder_is_read_scaled_and_cut(tmp_path: Path) -> None:
    """Classes in alphabetical order, rows in the names' order; `val` stands for test."""
    write_folder(tmp_path)
    made = ImageFolder("mine", tasks=2, side=8, mean=(0.0,), sd=(1.0,))
    facts, data = made.look(tmp_path), made.load(tmp_path)
    assert facts[:4] == ((3, 8, 8), 2, 6, 4)
    assert facts.mark == "custom data"
    assert data.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.allclose(data.x_train[:, 0, 4, 4] * 255, [0, 1, 2, 100, 101, 102], atol=1e-3)
    small = ImageFolder("mine", tasks=2, side=4, colour=False, train_per_class=1)
    assert small.look(tmp_path).inputs == (1, 4, 4)
    assert small.load(tmp_path).x_train.shape == (2, 1, 4, 4)
    assert facts.digest != made.look(write_more(tmp_path)).digest


def write_more(root: Path) -> Path:
    save(root / "mine" / "train" / "ant" / "9.png", 9, (12, 8))
    return root


def test_faults_of_an_image_folder_are_named(tmp_path: Path) -> None:
    """No folder, no test part, classes that differ, a picture that is none."""
    made = ImageFolder("mine", tasks=2, side=8)
    with pytest.raises(DataError, match=r"mine lacks train"):
        made.look(tmp_path)
    folder = write_folder(tmp_path)
    (folder / "train" / "ant" / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"ant/0.png is damaged.*Replace it"):
        made.load(tmp_path)
    save(folder / "val" / "cat" / "0.png", 1)
    with pytest.raises(DataError, match=r"classes \(folders with images\) differ"):
        made.look(tmp_path)
    with pytest.raises(DataError, match=r"mean \[0.5, 0.5\] and sd \[0.5\] do not fit 3 channel"):
        _files.normalised(np.zeros((1, 3, 2, 2), np.uint8), (0.5, 0.5), (0.5,))


# --- Omniglot


def write_omniglot(root: Path) -> Path:
    folder = root / "omniglot-py" / "images_background"
    for alphabet, letters in (("Alpha", 2), ("Beta", 1)):
        for letter in range(letters):
            for row in range(8):
                at = folder / alphabet / f"character{letter + 1:02}" / f"{letter:04}_{row:02}.png"
                save(at, 200 + row, (105, 105), "L")
    return folder


def test_omniglot_is_read_from_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One drawing in four is for testing; published if the zip beside it is."""
    folder = write_omniglot(tmp_path)
    made = Omniglot(tasks=3, side=14)
    facts, data = made.look(tmp_path), made.load(tmp_path)
    assert facts[:4] == ((1, 14, 14), 3, 18, 6)
    assert facts.mark == "custom data"
    assert data.y_test.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.x_test[0, 0, 0, 0] == pytest.approx((203 / 255 - 0.1307) / 0.3081, rel=1e-5)
    assert Omniglot(classes=2).look(tmp_path).classes == 2
    assert len(np.unique(Omniglot(classes=2).load(tmp_path).y_train)) == 2
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("a", "b")
    zipped = folder.with_suffix(".zip").read_bytes()
    genuine = {"images_background": hashlib.md5(zipped).hexdigest()}
    monkeypatch.setattr(omniglot, "ZIPS", genuine)
    assert made.look(tmp_path).mark == ""
    with pytest.raises(DataError, match="lacks images_evaluation"):
        Omniglot(part="evaluation").look(tmp_path)
    next(folder.glob("*/*/*.png")).write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"\.png is damaged"):
        made.load(tmp_path)


# --- glyphs


def test_glyphs_are_the_same_every_time_and_told_to_be_synthetic() -> None:
    """Many classes, drawn from the settings alone; test rows differ from training rows."""
    made = Glyphs(classes=12, tasks=3, train_per_class=5, test_per_class=2)
    facts, data = made.look(Path()), made.load(Path())
    assert facts[:4] == ((1, 20, 20), 12, 60, 24)
    assert facts.mark == "synthetic"
    assert data.x_train.shape == (60, 1, 20, 20)
    assert all(np.array_equal(a, b) for a, b in zip(data, made.load(Path()), strict=True))
    assert np.unique(data.x_train.reshape(60, -1), axis=0).shape[0] == 60
    assert made.look(Path()).digest != Glyphs(classes=12).look(Path()).digest
    assert len(set(characters())) == 400


# --- on the command line


@pytest.mark.parametrize("name", ["mnist", "svhn", "cifar10", "omniglot", "image-folder"])
def test_missing_data_ends_with_exit_2_and_nothing_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the network allows nothing either."""
    import torchvision.datasets

    def offline(*_args: object, **_more: object) -> None:
        raise OSError("no route to host")

    for kind in ("MNIST", "SVHN", "CIFAR10", "Omniglot"):
        monkeypatch.setattr(getattr(torchvision.datasets, kind), "__init__", offline)
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, ["run", "smoke", "--set", f"dataset={name}"])
    assert said.exit_code == 2
    assert "--data-root" in said.output
    assert list(tmp_path.iterdir()) == []
