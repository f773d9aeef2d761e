"""The code of the how-to is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "notebook.md"


def test_every_block_of_the_how_to_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In turn, in one notebook; the verdicts are printed and the report is written."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(blocks) == 2
    names = {"__name__": "__main__"}
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    assert "MATTERS" in printed
    assert "NEGLIGIBLE" in printed
    assert Path("results/does-augmentation-help/report.md").is_file()
