"""Data sets: digits against scikit-learn, IDX files made in their real format, clear refusals."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from ablate.errors import DataError
from variants.dataset._idx import FILES, fetch
from variants.dataset.arrays import Arrays
from variants.dataset.digits import Digits
from variants.dataset.fashion_mnist import FashionMNIST
from variants.dataset.mnist import MNIST

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def write_idx(root: Path, name: str = "MNIST", train: int = 30, test: int = 20) -> Path:
    """Write the four files; row i has label i mod 10 and pixel value i everywhere."""
    folder = root / name / "raw"
    folder.mkdir(parents=True)
    for count, images, labels in ((train, *FILES[:2]), (test, *FILES[2:])):
        rows = np.arange(count)
        pixels = np.repeat(rows[:, None], 784, 1).astype(np.uint8)
        (folder / images).write_bytes(
            struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28) + pixels.tobytes()
        )
        (folder / labels).write_bytes(
            struct.pack(">4BI", 0, 0, 8, 1, count) + (rows % 10).astype(np.uint8).tobytes()
        )
    return folder


def test_digits_are_scikit_learns_rows() -> None:
    """All 1,797 of them, pixels over 16, none in both parts."""
    from sklearn.datasets import load_digits

    bunch, data = load_digits(), Digits().load(Path())
    ours = np.concatenate([data.x_train, data.x_test]).reshape(-1, 64)
    assert sorted(map(bytes, (bunch.data / 16).astype(np.float32))) == sorted(map(bytes, ours))
    assert len(data.y_train) + len(data.y_test) == 1797


def test_the_digits_split_is_stratified_and_stays() -> None:
    """A fifth of each class, and a digest that pins the split for good."""
    data, facts = Digits().load(Path()), Digits().look(Path())
    shares = np.bincount(data.y_test) / np.bincount(np.concatenate([data.y_train, data.y_test]))
    assert (abs(shares - 0.2) < 0.006).all()
    assert facts[:4] == ((1, 8, 8), 10, 1442, 355)
    assert facts.digest.startswith("4e1325d038813314")


def test_mnist_sizes_come_from_the_files(tmp_path: Path) -> None:
    """A root with few rows works; pixels are normalised."""
    write_idx(tmp_path)
    facts, data = MNIST().look(tmp_path), MNIST().load(tmp_path)
    assert facts[:4] == ((1, 28, 28), 10, 30, 20)
    assert data.x_train.shape == (30, 1, 28, 28)
    assert data.y_test.tolist() == [i % 10 for i in range(20)]
    assert float(data.x_train[7, 0, 0, 0]) == pytest.approx((7 / 255 - 0.1307) / 0.3081, rel=1e-6)


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    """One pixel changes it."""
    folder = write_idx(tmp_path)
    before = MNIST().look(tmp_path).digest
    images = folder / FILES[0]
    images.write_bytes(images.read_bytes()[:-1] + b"\xff")
    assert MNIST().look(tmp_path).digest != before


def test_missing_files_are_named_with_the_remedy(tmp_path: Path) -> None:
    """Which files, where to put them, and the option."""
    with pytest.raises(DataError, match=r"MNIST/raw lacks train-images-idx3-ubyte.*--data-root"):
        MNIST().look(tmp_path)


def test_test_rows_that_are_training_rows_are_warned_of(tmp_path: Path) -> None:
    """All of them here: row i is i everywhere, in both parts."""
    write_idx(tmp_path)
    assert MNIST().look(tmp_path).warnings[0].startswith("20 of 20 test rows are training rows")
    assert MNIST(train_per_class=1).look(tmp_path).warnings[0].startswith("10 of 20 test rows")


def test_pickles_beside_the_files_are_not_opened(tmp_path: Path) -> None:
    """torchvision takes them for its own of old, instead of the files that were looked at."""
    write_idx(tmp_path)
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed").mkdir(exist_ok=True)
        (tmp_path / "MNIST" / "processed" / name).write_bytes(b"code")
    assert len(MNIST().load(tmp_path).y_train) == MNIST().look(tmp_path).train_rows == 30


@pytest.mark.parametrize("folder", ["MNIST/raw", "MNIST", "mnist"])
@pytest.mark.parametrize("zipped", [FILES[:1], FILES])
def test_gzipped_files_are_read_as_they_are(
    folder: str, zipped: tuple[str, ...], tmp_path: Path
) -> None:
    """Debian's package and the publishers ship them so; the digest is that of the content."""
    facts = MNIST().look(write_idx(tmp_path / "plain").parent.parent)
    there = tmp_path / folder
    write_idx(tmp_path / "written").rename(there) if "/" not in folder else write_idx(tmp_path)
    for name in zipped:
        (there / f"{name}.gz").write_bytes(gzip.compress((there / name).read_bytes()))
        (there / name).unlink()
    assert MNIST().look(tmp_path) == facts
    plain, read = MNIST().load(tmp_path / "plain"), MNIST().load(tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(plain, read, strict=True))


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    """Its header promises more than it holds."""
    images = write_idx(tmp_path) / FILES[0]
    images.write_bytes(images.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte is damaged.*23,520.*23,510"):
        MNIST().look(tmp_path)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    """Text is no IDX file."""
    labels = write_idx(tmp_path) / FILES[1]
    labels.write_text("not labels")
    with pytest.raises(DataError, match="train-labels-idx1-ubyte is no IDX file"):
        MNIST().look(tmp_path)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """Thirty images and ten labels."""
    labels = write_idx(tmp_path) / FILES[1]
    labels.write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 10) + bytes(10))
    with pytest.raises(DataError, match="30 images and 10 labels"):
        MNIST().look(tmp_path)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3, 4, 5, 6, 7, 8, 255], [0, 1, 3]])
def test_labels_with_gaps_are_refused(tmp_path: Path, labels: list[int]) -> None:
    """A class without rows could be neither learnt nor scored."""
    folder = write_idx(tmp_path)
    rows = (labels * 30)[:30]
    (folder / FILES[1]).write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 30) + bytes(rows))
    with pytest.raises(DataError, match="rows of every class in both parts"):
        MNIST().look(tmp_path)


def test_a_failed_download_names_the_files_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network: the message of missing files, and no empty folders."""
    import torchvision.datasets

    def offline(self: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", offline)
    with pytest.raises(DataError, match=r"lacks train-images.*no route to host"):
        fetch(tmp_path / "data", "MNIST")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_downloaded_where_the_files_are(tmp_path: Path) -> None:
    """Fetching is a matter of missing files only."""
    write_idx(tmp_path)
    MNIST().fetch(tmp_path)
    assert MNIST().look(tmp_path).train_rows == 30


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist_loads_in_full() -> None:
    """From where the package puts it, gzipped; 60,000 + 10,000 rows."""
    facts = FashionMNIST().look(DEBIAN.parent)
    data = FashionMNIST().load(DEBIAN.parent)
    assert facts[:4] == ((1, 28, 28), 10, 60_000, 10_000)
    assert np.bincount(data.y_train).tolist() == [6000] * 10
    assert abs(float(data.x_train.mean())) < 0.01
    assert float(data.x_train.std()) == pytest.approx(1, abs=0.01)


def four(**changes: object) -> dict[str, object]:
    """Twelve rows to train and six to test, of three classes."""
    draws = np.random.default_rng(0)
    made = {
        "x_train": draws.random((12, 2, 3)),
        "y_train": np.arange(12) % 3,
        "x_test": draws.random((6, 2, 3)),
        "y_test": np.arange(6) % 3,
    }
    return {**made, **changes}


def test_anybodys_arrays_are_a_data_set(tmp_path: Path) -> None:
    """From an .npz file in the data root; values as they are."""
    arrays = four()
    np.savez(tmp_path / "mine.npz", **arrays)  # type: ignore[arg-type]
    mine = Arrays(source="mine.npz", tasks=3)
    assert mine.look(tmp_path)[:4] == ((2, 3), 3, 12, 6)
    assert np.allclose(mine.load(tmp_path).x_test, np.asarray(arrays["x_test"]))


def test_a_function_can_give_the_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named as module:function."""
    (tmp_path / "my_rows.py").write_text(
        "import numpy as np\n"
        "def rows():\n"
        "    return np.ones((4, 2)), [0, 1, 0, 1], np.ones((2, 2)), [1, 0]\n"
        "def broken():\n"
        "    raise KeyError('no rows')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert Arrays(source="my_rows:rows").look(tmp_path)[:4] == ((2,), 2, 4, 2)
    with pytest.raises(DataError, match="KeyError: 'no rows'"):
        Arrays(source="my_rows:broken").look(tmp_path)
    with pytest.raises(DataError, match=r"neither an \.npz file nor module:function"):
        Arrays(source="my_rows").look(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y_train": np.arange(11) % 3}, "12 rows .* and 11 labels"),
        ({"x_test": np.ones((6, 4))}, "do not belong together"),
        ({"y_test": np.zeros(6, int)}, "rows of every class in both parts"),
        ({"y_train": np.arange(12) % 3 - 1}, "some are negative"),
        ({"y_train": np.arange(12) / 3}, "one whole number a row"),
        ({"x_train": np.full((12, 2, 3), np.nan)}, "not finite"),
        ({"x_train": np.ones((12, 0)), "x_test": np.ones((6, 0))}, "without values"),
        ({"x_train": np.array([{}] * 12)}, "cannot be read as .npz of plain arrays"),
        ({"x_train": np.array(["a"] * 12)}, "four arrays of numbers"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    """With what is wrong; pickles are never opened."""
    np.savez(tmp_path / "mine.npz", **four(**changes))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=said):
        Arrays(source="mine.npz").look(tmp_path)


def test_array_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """Missing, damaged, or without one of the four."""
    with pytest.raises(DataError, match=r"There is no .*mine\.npz.*--data-root"):
        Arrays(source="mine.npz").look(tmp_path)
    (tmp_path / "mine.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="cannot be read"):
        Arrays(source="mine.npz").look(tmp_path)
    np.savez(tmp_path / "mine.npz", x_train=np.ones((2, 2)))
    with pytest.raises(DataError, match="lacks y_train, x_test, y_test"):
        Arrays(source="mine.npz").look(tmp_path)
