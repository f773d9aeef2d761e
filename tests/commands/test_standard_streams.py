"""Whoever starts a command may have closed its standard streams: schedulers and daemons do."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from tests.commands.test_cli import ROOT

CODE = """
import os, sys
from ablate.commands.standard import open_streams
open_streams()
(read, write) = os.pipe()
assert min(read, write) > 2, (read, write)
assert None not in (sys.stdin, sys.stdout, sys.stderr)
print("said"), print("said", file=sys.stderr), sys.stdin.read()
os._exit(7)
"""

CLOSED = [numbers for count in (1, 2, 3) for numbers in combinations((0, 1, 2), count)]


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_streams_are_opened_on_nothing(closed: tuple[int, ...]) -> None:
    """So that no line to a worker gets a standard stream's number."""
    shut = " ".join(f"{number}>&-" if number else "<&-" for number in closed)
    words = ["sh", "-c", f'exec "$0" -c "$1" {shut}', sys.executable, CODE]
    assert subprocess.run(words, stdin=subprocess.DEVNULL, cwd=ROOT, check=False).returncode == 7
