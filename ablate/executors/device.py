"""The device that runs stacks, checked before anything is written."""

from __future__ import annotations

from ablate.errors import SelectionError


def checked(name: str) -> str:
    """Check a device's name, without loading torch for the common ones. Raises SelectionError."""
    if name in ("auto", "cpu"):
        return name
    import torch

    try:
        torch.ones(1, device=name).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise SelectionError(f"--device {name!r} cannot be used here: {reason}") from error
    return name
