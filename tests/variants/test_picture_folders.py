"""Folders of pictures as people have them: one listing for all, and damaged ones named first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.errors import DataError
from variants.dataset import _files, _pictures
from variants.dataset.image_folder import ImageFolder

SIDE = 6


def grey(path: Path, value: int = 0, size: tuple[int, int] = (SIDE, SIDE)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 7, 7)).save(path)


def folder(root: Path) -> Path:
    """Two classes, three pictures each to train and two to test, no two the same."""
    for part, rows, base in (("train", 3, 0), ("test", 2, 50)):
        for c, name in enumerate(("ant", "bee")):
            for row in range(rows):
                grey(root / "pics" / part / name / f"{row}.png", 100 * c + base + row)
    return root / "pics"


def reader(colour: bool = True) -> ImageFolder:
    return ImageFolder("pics", tasks=2, side=SIDE, colour=colour, mean=(0.0,), sd=(1.0,))


def rows(root: Path, colour: bool = True) -> tuple[int, int]:
    """Look and load: they must agree. Gives the rows to train and to test."""
    facts, data = reader(colour).look(root), reader(colour).load(root)
    assert (facts.train_rows, facts.test_rows) == (len(data.y_train), len(data.y_test))
    assert facts.inputs == data.x_train.shape[1:]
    return facts.train_rows, facts.test_rows


def noise(path: Path) -> None:
    draws = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(draws).save(path)


def circle(at: Path) -> None:
    (at / "train/ant/again").symlink_to(at / "train/ant")
    (at / "train/bee/up").symlink_to(at)


def crossed(at: Path) -> None:
    (at / "train/ant/other").mkdir()
    (at / "train/ant/other/back").symlink_to(at / "train/ant")


def linked_folder(at: Path) -> None:
    grey(at.parent / "far" / "new.png", 9)
    (at / "train/ant/more").symlink_to(at.parent / "far")


def linked_file(at: Path) -> None:
    grey(at.parent / "far.png", 9)
    (at / "train/ant/new.png").symlink_to(at.parent / "far.png")


def folder_called_png(at: Path) -> None:
    (at / "train/ant/y.png").mkdir()


def nested_called_png(at: Path) -> None:
    grey(at / "train/ant/y.png/deep.png", 9)


def hidden(at: Path) -> None:
    for name in ("._0.png", ".DS_Store", ".cache/a.png"):
        path = at / "train/ant" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0\5\x16\7")
    (at / "train/.thumbs").mkdir()
    (at / "train/__MACOSX").mkdir()


READ: dict[str, tuple[Callable[[Path], None], int]] = {
    "nothing odd": (lambda _: None, 6),
    "links in a circle": (circle, 6 + 0),
    "a link back to where it is": (crossed, 6),
    "a link to a folder": (linked_folder, 7),
    "a link to a file": (linked_file, 7),
    "a folder called y.png": (folder_called_png, 6),
    "a picture in a folder called y.png": (nested_called_png, 7),
    "hidden files and a Mac's": (hidden, 6),
    "a link to itself": (lambda at: (at / "train/ant/me").symlink_to(at / "train/ant/me"), 6),
    "an ending in capitals": (lambda at: grey(at / "train/ant/X.PNG", 9), 7),
    "a nested folder": (lambda at: grey(at / "train/ant/in/it.png", 9), 7),
    "an empty class folder": (lambda at: (at / "train/cow").mkdir(), 6),
    "text beside the pictures": (lambda at: (at / "train/ant/a.txt").write_text("x"), 6),
    "a file beside the classes": (lambda at: grey(at / "train/stray.png"), 6),
    "pictures of other sizes": (lambda at: grey(at / "train/ant/w.png", 9, (50, 7)), 7),
}


@pytest.mark.parametrize("case", READ)
def test_look_and_load_list_the_same_pictures(case: str, tmp_path: Path) -> None:
    """However they are linked, nested and named."""
    change, expected = READ[case]
    change(folder(tmp_path))
    train = rows(tmp_path)[0]
    if case == "links in a circle":  # a class that links to the whole holds what it links to, once
        assert 6 <= train <= 20
    else:
        assert train == expected


def cut(at: Path) -> None:
    noise(at / "train/ant/0.png")
    whole = (at / "train/ant/0.png").read_bytes()
    (at / "train/ant/0.png").write_bytes(whole[: len(whole) // 2])


def flipped(at: Path) -> None:
    noise(at / "train/ant/0.png")
    whole = bytearray((at / "train/ant/0.png").read_bytes())
    whole[200] ^= 255
    (at / "train/ant/0.png").write_bytes(whole)


def huge(at: Path) -> None:
    """Claim a side of 100,000 in the header, with the checksum that goes with it."""
    import zlib

    whole = bytearray((at / "train/ant/0.png").read_bytes())
    whole[16:24] = (100_000).to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(whole[12:29]).to_bytes(4, "big")
    (at / "train/ant/0.png").write_bytes(whole)


def floats(at: Path) -> None:
    Image.fromarray(np.ones((8, 8), "f4")).save(at / "train/ant/f.tif")


def postscript(at: Path) -> None:
    (at / "train/ant/0.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 6\n")


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "a picture cut short": (cut, r"ant/0.png is damaged"),
    "a picture with other bytes": (flipped, r"ant/0.png is damaged"),
    "an empty picture": (lambda at: (at / "train/ant/0.png").write_bytes(b""), "ant/0.png"),
    "text by the name of a picture": (lambda at: (at / "train/ant/0.png").write_text("x"), "0.png"),
    "a program by that name": (postscript, "ant/0.png"),
    "a link that leads nowhere": (
        lambda at: (at / "train/ant/9.png").symlink_to("gone.png"),
        r"9.png \(a broken link\)",
    ),
    "a pipe": (lambda at: os.mkfifo(at / "train/ant/9.png"), r"9.png \(no plain file\)"),
    "a decompression bomb": (huge, "decompression bomb"),
    "a picture like a thread": (
        lambda at: grey(at / "train/ant/9.png", 9, (1, 3_000_000)),
        "1 x 3000000 pixels",
    ),
    "floating-point values": (floats, "no agreed white"),
    "a class that test lacks": (lambda at: grey(at / "train/cow/0.png"), "test lacks 'cow'"),
    "a class that train lacks": (lambda at: grey(at / "test/cow/0.png"), "train lacks 'cow'"),
    "classes that differ in case": (
        lambda at: (at / "test/ant").rename(at / "test/Ant"),
        "upper and lower case alone",
    ),
    "classes that differ in a space": (
        lambda at: (at / "test/ant").rename(at / "test/ant "),
        "spaces, case or how accents are encoded alone",
    ),
    "classes whose accents are encoded in two ways": (
        lambda at: [
            (at / part / "ant").rename(at / part / name)
            for part, name in (("train", "caf\u00e9"), ("test", "cafe\u0301"))
        ],
        "how accents are encoded alone",
    ),
    "no test part": (
        lambda at: (at / "test").rename(at / "other"),
        r"lacks test \(or val\).*it holds 'other', 'train'",
    ),
    "no split at all": (
        lambda at: [(at / "train").rename(at / "ant2"), (at / "test").rename(at / "bee2")],
        "it holds 'ant2', 'bee2'",
    ),
    "pictures of another ending": (
        lambda at: [p.rename(p.with_suffix(".gif")) for p in at.glob("*/*/*.png")],
        "there are none.*Other files that are there: 10 .gif",
    ),
    "no pictures": (lambda at: [p.unlink() for p in at.glob("*/*/*.png")], "there are none"),
    "one class": (lambda at: [p.unlink() for p in at.glob("*/bee/*.png")], "one class alone"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_named_before_any_run(case: str, tmp_path: Path) -> None:
    """By `look`, with the remedy."""
    change, said = BAD[case]
    change(folder(tmp_path))
    with pytest.raises(DataError, match=said):
        reader().look(tmp_path)


def test_damaged_pictures_are_counted_and_the_first_named(tmp_path: Path) -> None:
    """Five of ten, three by name; what is not used is not asked for."""
    at = folder(tmp_path)
    for path in [*sorted(at.glob("*/*/1.png")), at / "train/ant/2.png"]:
        path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"5 pictures of 10 .*and 2 more"):
        reader().look(tmp_path)
    assert ImageFolder("pics", 2, side=SIDE, train_per_class=1, test_per_class=1).look(tmp_path)


SEEN: dict[str, tuple[Callable[[], Image.Image], str, float]] = {
    "16 bits": (lambda: Image.fromarray(np.full((6, 6), 32896, "u2")), "a.png", 128),
    "16 bits, white": (lambda: Image.fromarray(np.full((6, 6), 65535, "u2")), "a.png", 255),
    "16 bits in a TIFF": (lambda: Image.fromarray(np.full((6, 6), 257, "u2")), "a.tif", 1),
    "8 bits": (lambda: Image.new("L", (6, 6), 77), "a.png", 77),
    "1 bit": (lambda: Image.new("1", (6, 6), 1), "a.png", 255),
    "a palette": (lambda: Image.new("RGB", (6, 6), (9, 9, 9)).convert("P", palette=1), "a.png", 9),
    "four inks": (lambda: Image.new("CMYK", (6, 6), (0, 0, 0, 255)), "a.jpg", 0),
}


@pytest.mark.parametrize("case", SEEN)
def test_pictures_of_every_depth_are_scaled_by_their_range(case: str, tmp_path: Path) -> None:
    """16 bits are not all white."""
    make, name, value = SEEN[case]
    make().save(tmp_path / name)
    for colour in (True, False):
        pixels = _pictures.read(tmp_path / name, SIDE, colour)
        assert pixels.shape == (3 if colour else 1, SIDE, SIDE)
        assert np.abs(pixels.astype(int) - value).max() <= 1


def turned(at: Path) -> None:
    exif = Image.Exif()
    exif[_pictures.ROTATED] = 6
    Image.new("RGB", (6, 6)).save(at / "train/ant/9.jpg", exif=exif)


def moving(at: Path) -> None:
    frames = [Image.new("RGB", (6, 6), (n, 0, 0)) for n in (1, 200)]
    frames[0].save(at / "train/ant/9.webp", save_all=True, append_images=frames[1:])


WARNED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a turned photograph": (turned, "1 of 11 pictures are turned by their EXIF tag"),
    "a moving picture": (moving, "1 of 11 pictures have several frames"),
    "a transparent picture": (
        lambda at: Image.new("RGBA", (6, 6), (1, 2, 3, 4)).save(at / "train/ant/9.png"),
        "1 of 11 pictures are partly transparent",
    ),
    "a test picture that is trained on": (
        lambda at: grey(at / "test/ant/9.png", 1),
        "1 of 5 test rows are training rows too",
    ),
    "a class of no picture": (lambda at: (at / "train/cow").mkdir(), "are no classes: cow"),
    "a picture of no class": (lambda at: grey(at / "test/a.png"), "1 picture lies in no class"),
    "a picture under two classes": (
        lambda at: (at / "train/bee/9.png").write_bytes((at / "train/ant/0.png").read_bytes()),
        "2 of 7 training rows stand under another class",
    ),
    "a class of very many": (
        lambda at: [
            (at / f"train/ant/x{n}.png").write_bytes((at / "train/ant/0.png").read_bytes())
            for n in range(70)
        ],
        "3 to 73 rows to train",
    ),
    "files of other endings": (
        lambda at: (at / "train/ant/a.gif").write_bytes(b"x"),
        "1 files of classes .*1 .gif",
    ),
    "classes alike but for case": (
        lambda at: [grey(at / part / "Bee/0.png") for part in ("train", "test")],
        "upper and lower case",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_odd_in_pictures_is_said(case: str, tmp_path: Path) -> None:
    """They are read; the reader is told how."""
    import re

    change, said = WARNED[case]
    change(folder(tmp_path))
    warnings = reader().look(tmp_path).warnings
    assert any(re.search(said, warning) for warning in warnings), warnings


def test_of_very_many_pictures_the_rest_is_opened_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is said; one that cannot even be opened is still named."""
    at = folder(tmp_path)
    monkeypatch.setattr(_pictures, "MOST_DECODED", 4)
    assert reader().look(tmp_path).warnings == (
        "6 of 10 pictures were not decoded before the runs, for there are too many.",
    )
    (at / "test/bee/1.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"test/bee/1\.png is damaged"):
        reader().look(tmp_path)


def test_usual_pictures_are_not_warned_of(tmp_path: Path) -> None:
    """And a second look decodes nothing anew."""
    folder(tmp_path)
    assert reader().look(tmp_path).warnings == ()


def test_pictures_that_do_not_fit_in_memory_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their number and side."""
    folder(tmp_path)
    monkeypatch.setattr(_files, "memory_bytes", lambda: 8000)
    with pytest.raises(DataError, match=r"needs 4,320 bytes of memory"):
        reader().look(tmp_path)


def test_a_damaged_picture_ends_the_command_with_2_and_runs_nothing(tmp_path: Path) -> None:
    """As a user sees it."""
    cut(folder(tmp_path))
    (tmp_path / "suite.yaml").write_text(
        "question: Does it matter?\n"
        "base:\n"
        f"  dataset: {{image-folder: {{folder: pics, tasks: 2, side: {SIDE}}}}}\n"
        "  model: {mlp: {widths: [4]}}\n"
        "  memory: {random: {budget_rows: 4}}\n"
        "  optimizer: {sgd: {lr: 0.1}}\n"
        "  training: {standard: {epochs: 1, batch_rows: 4}}\n"
        "  method: replay\n"
        "arms:\n  a: {}\n  b: {method: fine-tune, memory: none}\n"
        "seeds: 5\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "ablate", "run", "suite.yaml", "--data-root", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ":".join(filter(None, sys.path))},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "1 picture of 10 cannot be read" in done.stderr
    assert not (tmp_path / "results").exists()
