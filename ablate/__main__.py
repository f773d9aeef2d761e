"""`python -m ablate` and the console script, which start only if the package is all ours.

Two distributions of other people own the import name `ablate`; pip installs one over the other
without a word. Neither has a file of this name, so that what stands here is what runs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import metadata

DISTRIBUTION = "ablate-study"

EARLIER = "Ablation studies with verdicts"
"""How the summary of our own version 0.1.0 begins, which was called `ablate`."""


def strangers() -> list[str]:
    """Name the installed distributions, other than ours, that own the import name `ablate`.

    An editable install may not be listed at all, which is fine.
    """
    owners = {
        about.metadata["Name"] for about in metadata.distributions() if _owns("ablate", about)
    }
    return sorted(owner for owner in owners if _normal(owner) != DISTRIBUTION)


def refusal(owners: Sequence[str]) -> str:
    """Say which distributions have to go, and why; '' where there are none."""
    if not owners:
        return ""
    names = " and ".join(map(repr, owners))
    if all(_is_earlier(owner) for owner in owners):
        why = f"the installed distribution {names} is an earlier version of {DISTRIBUTION}"
    else:
        why = (
            f"the installed distribution {names} has the import name 'ablate', too, and may have "
            f"replaced files of {DISTRIBUTION}"
        )
    return (
        f"{DISTRIBUTION} does not start: {why}. Run `pip uninstall {' '.join(owners)}`, then "
        f"install {DISTRIBUTION} again."
    )


def refuse_strangers() -> None:
    """Exit with 2 where another distribution may have replaced parts of this one."""
    if text := refusal(strangers()):
        print(text, file=sys.stderr)
        sys.exit(2)


def main() -> None:
    """Start the command line, wherever it was installed."""
    refuse_strangers()
    from ablate.core import resources  # only now: any other module might be theirs

    resources.module("cli").main()


def _normal(name: str) -> str:
    """Give a distribution's name as the index compares it.

    >>> _normal("Ablate_Study")
    'ablate-study'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _owns(name: str, about: metadata.Distribution) -> bool:
    """Say whether a distribution owns an import name, as `packages_distributions` does.

    That one reads the path of every file that is installed, which takes a while; here only those
    of a list are read in which the name begins one.
    """
    declared = (about.read_text("top_level.txt") or "").split()
    if declared:
        return name in declared
    record = about.read_text("RECORD")
    if record is not None and not re.search(rf'^"?{name}[/.]', record, re.MULTILINE):
        return False
    files = (file for file in about.files or () if file.suffix == ".py")
    return any((f.parts[0] if len(f.parts) > 1 else f.stem) == name for f in files)


def _is_earlier(owner: str) -> bool:
    try:
        about = metadata.metadata(owner)
    except metadata.PackageNotFoundError:
        return False
    return "Summary" in about and about["Summary"].startswith(EARLIER)


if __name__ == "__main__":
    main()
