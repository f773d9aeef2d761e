"""Code of others that runs in our process: how it ends is its own affair, not the command's."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ablate.core.foreign_text import of_error
from ablate.errors import DataError, ExitCode, Stopped


@contextmanager
def contained(what: str) -> Iterator[None]:
    """Turn an exit, or an interrupt that nobody pressed, into an error that names its source.

    Copies that the code makes of this process end here.

    what: whose code it is. Raises DataError; a real Ctrl-C passes.
    """
    pressed: list[int] = []
    process = os.getpid()
    before = signal.getsignal(signal.SIGINT)

    def noted(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if callable(before):
            before(number, frame)

    # signals are handled by the main thread alone, and where they are ignored they stay so
    watched = threading.current_thread() is threading.main_thread() and callable(before)
    if watched:
        signal.signal(signal.SIGINT, noted)
    try:
        yield
    except Exception:
        raise
    except KeyboardInterrupt as error:
        if pressed or isinstance(error, Stopped):  # the commands raise it, for SIGTERM as well
            raise
        raise DataError(f"{what} raised KeyboardInterrupt by itself.") from error
    except BaseException as error:  # SystemExit, and whatever else passes by `except Exception`
        raise DataError(f"{what} ended Python ({of_error(error)}) instead of returning.") from error
    finally:
        if os.getpid() != process:
            os._exit(ExitCode.REFUSED)  # a copy that the code made of us must not go on as us
        if watched:
            signal.signal(signal.SIGINT, before)
