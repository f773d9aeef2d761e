"""A small program, as a command and as a function of a module, for suites of both."""

from __future__ import annotations

from pathlib import Path

ARITHMETIC = """
import math, random
def scores(lr, opt, epochs, split, seed):
    if opt == "sgd" and lr > 5:
        raise ValueError("it ran away")
    best = 0.3 if opt == "sgd" else 0.01
    draw = random.Random(f"{seed} {split}").gauss(0, 0.001)
    own = random.Random(f"{seed} {lr} {opt} {epochs}").gauss(0, 0.0002)
    cost = epochs * (2 if opt == "adam" else 1)
    loss = 0.02 + 0.001 * math.log10(lr / best) ** 2 - 0.001 * math.log2(cost) + draw + own
    return {"loss": loss, "gain": 1 - loss, "flops": 1e6 * cost}
"""

SCRIPT = (
    ARITHMETIC
    + """
import json, sys
given = json.load(open(sys.argv[1]))
open("made", "a").write(f"{given['split']} {given['seed']} {given['opt']} {given['lr']}\\n")
print(json.dumps(scores(**given)))
"""
)

FUNCTION = (
    ARITHMETIC
    + """
def train(lr, opt, epochs, split, seed):
    open("made", "a").write(f"{split} {seed} {opt} {lr}\\n")
    return scores(lr, opt, epochs, split, seed)
"""
)

COMMAND = "command: [python, train.py, '{config}']\n      config: given.json"
FORMS = ("command", "function")


def base(form: str, module: str = "trained_here") -> str:
    """Give a suite's question and base: the same program as a command, or as a function."""
    program = COMMAND if form == "command" else f"function: {module}:train"
    return f"""
question: Does adam help?
base:
  method:
    external:
      {program}
      params: {{lr: 0.1, opt: sgd, epochs: 4, split: test}}
      metrics: {{loss: {{better: lower}}, gain: {{}}, flops: {{better: lower}}}}
"""


def write(folder: Path, text: str, module: str = "trained_here") -> Path:
    """Write both forms of the program and a suite beside them; gives the suite's path."""
    (folder / "train.py").write_text(SCRIPT)
    (folder / f"{module}.py").write_text(FUNCTION)
    path = folder / "mine.yaml"
    path.write_text(text)
    return path
