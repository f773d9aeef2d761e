"""`python -m ablate` and the console script."""

from __future__ import annotations

from ablate import shipped


def main() -> None:
    """Start the command line, wherever it was installed."""
    shipped.module("cli").main()


if __name__ == "__main__":
    main()
