"""The best of a task's last epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.registry import component


@component("checkpoint", "best", paper="early stopping; released code of iTAML for `test-ORACLE`")
@dataclass(frozen=True)
class Best:
    """The epoch of a task that goes on is the best by accuracy over the seen classes.

    by: on `validation` rows held out of the training rows; or on the test rows, `test-ORACLE` (the
        released code of iTAML), which no honest score may rest on.
    over: what an epoch must beat: the others of the `last-epochs`, so that their best goes on; or
        `all-epochs` of the task before it, and where none does the last one goes on (the released
        code).
    last_epochs: how many last epochs may go on, [1, 100000].
    validation_rows: training rows of each class held out for `by: validation`, [1, 1e6]; they are
        kept beside the memory, for choosing alone.
    """

    by: Literal["validation", "test-ORACLE"] = "validation"
    over: Literal["last-epochs", "all-epochs"] = "last-epochs"
    last_epochs: int = 10
    validation_rows: int = 20

    def examines(self, epoch: int, epochs: int) -> bool:
        """Say whether an epoch raises the bar."""
        return self.over == "all-epochs" or self.may_keep(epoch, epochs)

    def may_keep(self, epoch: int, epochs: int) -> bool:
        """Say whether an epoch is among the last ones."""
        return epoch >= epochs - self.last_epochs
