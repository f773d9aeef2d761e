"""Draws what a command says at its end into `first_screen.svg`.

python cli.py report update_rule | python docs/draw_first_screen.py
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

PICTURE = Path(__file__).parent / "first_screen.svg"
COMMAND = "$ python cli.py run suites/update_rule.yaml"
WORDS = {
    r"\bMATTERS\b": "bold green",
    r"\bNEGLIGIBLE\b": "bold cyan",
    r"\bINCONCLUSIVE\b": "bold yellow",
    r"^\$.*$": "dim",
}


def draw(lines: str) -> str:
    """Give the lines of a terminal as a picture."""
    console = Console(
        record=True, width=112, file=io.StringIO(), theme=Theme(), force_terminal=True
    )
    text = Text(f"{COMMAND}\n{lines.rstrip()}")
    for pattern, style in WORDS.items():
        text.highlight_regex(f"(?m){pattern}", style)
    console.print(text)
    return console.export_svg(title="ablate", unique_id="first-screen")


if __name__ == "__main__":
    PICTURE.write_text(draw(sys.stdin.read()), "utf-8")
