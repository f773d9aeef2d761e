"""The folder of results: made where it is not there, held by one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ablate.errors import StoreError


def make_folder(folder: Path) -> None:
    """Make a folder for results. Raises StoreError where the system does not allow it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}") from error


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a results folder for writing. Raises StoreError while another process does.

    The operating system lets go of the lock however the process ends.
    """
    make_folder(folder)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:  # an OSError too, so it comes first
        raise StoreError(
            f"another run is writing to {folder}; wait for it or choose another --results"
        ) from None
    except OSError as error:
        raise StoreError(f"{folder / '.lock'} cannot be locked: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()
