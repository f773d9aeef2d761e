"""What a component may build on beside `ablate.types`, `registry` and `errors`; import it here.

The modules behind these names may move; the names stay. Rows: a batch's tasks as flat rows
(`flat_rows`, `old_and_new`), and one optimizer step on a loss (`classify`, `labelled`, `descend`,
`move`, `soft_labels`). Losses: means over rows whose weight 0 is padding. Optimizers: moments that
a stack of replicas can share. Memories and data: equal quotas, named random streams, the facts of a
data set. Nets: features and heads of a module.
"""

from __future__ import annotations

from ablate.core.random_streams import stream
from ablate.streams.batch_tables import equal_share
from ablate.streams.dataset_checks import (
    content_digest,
    count_classes,
    facts_of,
    fewer,
    first_of_each,
)
from ablate.training.inner_loop import SPECK, at_rest, decayed, is_zero, moments, settled
from ablate.training.net import features_of, head_of
from ablate.training.train_step import (
    Optimized,
    Rows,
    binary,
    classify,
    cross_entropy,
    descend,
    flat_rows,
    judged_among,
    labelled,
    mean_over_rows,
    move,
    old_and_new,
    one_hot,
    own_tasks,
    soft_labels,
    task_numbers,
)

__all__ = [
    "SPECK",
    "Optimized",
    "Rows",
    "at_rest",
    "binary",
    "classify",
    "content_digest",
    "count_classes",
    "cross_entropy",
    "decayed",
    "descend",
    "equal_share",
    "facts_of",
    "features_of",
    "fewer",
    "first_of_each",
    "flat_rows",
    "head_of",
    "is_zero",
    "judged_among",
    "labelled",
    "mean_over_rows",
    "moments",
    "move",
    "old_and_new",
    "one_hot",
    "own_tasks",
    "settled",
    "soft_labels",
    "stream",
    "task_numbers",
]
