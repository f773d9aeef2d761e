# `make check` is the whole truth. PYTHON may name another interpreter.
PYTHON ?= python

.PHONY: check format lint types layers architecture test quick lowest bench

check: lint types layers test

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy cli.py

layers:
	$(PYTHON) -c "from importlinter.cli import lint_imports_command as run; run()"
	$(PYTHON) docs/draw_rooms.py --check

# The picture of the rooms, from the imports.
architecture:
	$(PYTHON) docs/draw_rooms.py

test:
	$(PYTHON) -m pytest -n 2 --cov --cov-report=term --cov-fail-under=90 --durations=10

# What is not slow, in under a minute on two cores.
quick:
	$(PYTHON) -m pytest -n 2 -m "not slow"

# The oldest versions that pyproject.toml allows, in an environment of their own.
lowest:
	mkdir -p build
	rm -rf build/lowest build/lowest.txt
	$(PYTHON) -m uv pip compile -q --resolution lowest-direct --extra dev pyproject.toml -o build/lowest.txt
	$(PYTHON) -m venv build/lowest
	build/lowest/bin/python -m pip install -q -r build/lowest.txt
	PYTHONPATH=. build/lowest/bin/python -m pytest -n 2 -m "not slow"

# Timings never fail a build.
bench:
	$(PYTHON) -m pytest tests/bench --benchmark-enable --benchmark-only -p no:xdist
	$(PYTHON) cli.py bench
