"""YAML with places: what is read, what is refused, and where."""

from __future__ import annotations

import pytest

from ablate.parsing.located_yaml import DocumentError, Mark, read_document


def problem(data: bytes) -> tuple[int, int, str]:
    with pytest.raises(DocumentError) as caught:
        read_document(data)
    first = caught.value.problems[0]
    return first.line, first.column, first.found


def test_values_know_their_places() -> None:
    """Keys and values, 1-based."""
    node = read_document(b"a:\n  b: [1, two]\n")
    inner = node.items["a"].items["b"]
    assert node.plain() == {"a": {"b": [1, "two"]}}
    assert node.items["a"].keys["b"] == Mark(2, 3)
    assert [child.at for child in inner.value] == [Mark(2, 7), Mark(2, 10)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("1_000", 1000),
        ("-2.5", -2.5),
        (".5", 0.5),
        ("1.0 points", "1.0 points"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("-.inf", float("-inf")),
    ],
)
def test_plain_words_are_read_as_people_mean_them(text: str, value: object) -> None:
    """Unlike YAML 1.1: no booleans from `no`, no numbers in base 60, 1e-3 a number."""
    assert read_document(f"x: {text}".encode()).plain() == {"x": value}


@pytest.mark.parametrize(
    ("data", "where", "said"),
    [
        (b"", (1, 1), "empty file"),
        (b"# only a comment\n", (1, 1), "empty file"),
        (b"a: 1\nb: 2\na: 3\n", (3, 1), "'a' a second time"),
        (b"a: !!python/object:os.system x\n", (1, 4), "python/object"),
        (b"a: [1, 2\n", (2, 1), "not YAML"),
        (b"a: 1\n\tb: 2\n", (2, 1), "not YAML"),
        (b"a: 1\nb: \xff\xfe\n", (2, 4), "no text"),
        (b"\x00\x01\x02\x03", (1, 1), "does not allow"),
        (b"? [1, 2]\n: x\n", (1, 3), "itself a structure"),
        (b"x: &a {k: 1}\ny:\n  <<: *a\n", (3, 3), "merge key"),
        (b"[" * 60 + b"]" * 60, (1, 42), "too deep"),
        (b"a: 1\n---\nb: 2\n", (2, 1), "not YAML"),
        (b'a: "\\uD800"\n', (1, 4), "half a character"),
        (b'"\\uD800": 1\n', (1, 1), "half a character"),
        (b'a: "\\U00110000"\n', (1, 1), "not YAML"),
        (b'a: "\\UFFFFFFFF"\n', (1, 1), "not YAML"),
        (b"%YAML 1." + b"9" * 5000 + b"\n--- a\n", (1, 1), "not YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(
    data: bytes, where: tuple[int, int], said: str
) -> None:
    """Line, column and what was found."""
    line, column, found = problem(data)
    assert (line, column) == where
    assert said in found


def test_aliases_that_multiply_are_cut_off() -> None:
    """The billion laughs: nine lines that would be a thousand million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    assert "too deep" in problem("\n".join(lines).encode())[2]


def test_a_file_of_megabytes_is_not_parsed() -> None:
    """No suite is that long."""
    assert "bytes" in problem(b"a: 1\n" * 300_000)[2]


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    """Editors on Windows write one."""
    assert read_document(b"\xef\xbb\xbfa: 1\r\n").plain() == {"a": 1}
