"""Names in a table: which are the same, which are summaries, and what a metric's name says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

_RANGE = re.compile(r"\d+ ?(?:-|–|\.\.+|to) ?\d+")
_ORDINARY = re.compile(r"[A-Za-z0-9_.+-]*[A-Za-z0-9]")


def words(text: str) -> frozenset[str]:
    """Give the words of a text."""
    return frozenset(text.split())


SUMMARIES = words(
    "mean means average averages avg ave median mode std stdev stddev sd sem se stderr var "
    "variance best worst max maximum min minimum total totals sum overall all count num iqr iqm "
    "range ci ci95 conf conf95 gmean geomean hmean macro micro aggregate aggregated summary mu "
    "sigma delta diff gain pooled ensemble q1 q2 q3 p5 p25 p50 p75 p95 moyenne mittel mittelwert "
    "durchschnitt schnitt gesamt summe media promedio medio totale ø μ σ δ rank ranks "
    "ranking win wins improvement improvements 平均 平均值 平均値 均值 标准差 標準偏差 標準差 "
    "方差 中位数 总计 合計 最佳 среднее 평균 표준편차"
)
"""Words of a row that sums others up, in small letters."""

BESIDE = words(
    "of the over a per for in seed seeds run runs row rows fold folds trial trials repeat repeats "
    "score scores acc accuracy test val dev dataset datasets data set sets task tasks error "
    "deviation standard confidence interval value values and or from by with n losses ties fit "
    "loss tie relative absolute rel abs "
    "time abw train"
)
"""Words that stand beside those."""

FEW_NAMES = 100
"""Among more names that are plain words, `all` or `total` may be one of them."""

LESS = words(
    "loss error errors err perplexity ppl rmse mse mae mape nrmse smape nll wer cer mer ter eer "
    "per fid kid bpc bpb bpd lpips time seconds secs latency runtime duration walltime cost costs "
    "regret forgetting risk brier ece mce deviance divergence kl distance fpr fnr far frr flops "
    "params memory xent energy ms drop gap degradation surprisal residual misclassification"
)
"""Words in the name of a metric of which less is better."""

ERROR_RATES = words("error errors err wer cer eer ter fpr fnr far frr misclassification")
WHERE = words("rate rates test val valid validation dev train top1 top5 classification final")
"""Words for a share of wrong answers, and those that stand beside them."""

RATES = words(
    "accuracy acc top1 top5 f1 precision recall sensitivity specificity auc auroc auprc ap map "
    "iou miou dice em correct pass passed success hit exact winrate tpr tnr jaccard"
)
"""Words in the name of a metric that is a share: in 0 to 1, or in percent."""


def plain(text: Any) -> str:
    """Give a name as a reader sees it: without white space around, or what has no shape at all.

    >>> plain("  ours\\u200b "), plain("a \\t b"), plain("a\\x1b[2J")
    ('ours', 'a b', 'a\\\\x1b[2J')
    """
    name = text if type(text) is str else str(text)
    if (name.isascii() and name.isalnum()) or _ORDINARY.fullmatch(name):  # nearly all of a table
        return name
    spaced = " ".join(unicodedata.normalize("NFKC", str(text)).split())
    seen = "".join(letter for letter in spaced if unicodedata.category(letter) != "Cf")
    return "".join(
        f"\\x{ord(letter):02x}" if unicodedata.category(letter) == "Cc" else letter
        for letter in _unmarked(seen)
    )


def _unmarked(name: str) -> str:
    """Take off quotes, bold markdown and bold LaTeX around a whole name."""
    for pattern in (
        r"\*\*(.+)\*\*",
        r"`(.+)`",
        r"\\(?:textbf|emph|textit|texttt)\{(.+)\}",
        r'"(.+)"',
        r"'(.+)'",
    ):
        if match := re.fullmatch(pattern, name):
            return match[1].strip()
    return name


def alike(name: str) -> Hashable:
    """Give what two spellings of one name have in common: small letters, or their number."""
    try:
        return float(name)
    except ValueError:
        return name.casefold()


def spellings(names: Iterable[str]) -> dict[str, str]:
    """Give each name the first spelling of it.

    >>> spellings(["Ours", "base", "ours", "0.10", "0.1"])
    {'Ours': 'Ours', 'base': 'base', 'ours': 'Ours', '0.10': '0.10', '0.1': '0.10'}
    """
    first: dict[Hashable, str] = {}
    return {name: first.setdefault(alike(name), name) for name in names}


def is_summary(name: Any) -> bool:
    """Say whether a name is made of words for a summary, and of nothing else.

    >>> [is_summary(name) for name in ("AVG±", "Mean (5 seeds)", "std. dev", "meanpool", "seed 1")]
    [True, True, True, False, False]
    """
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", plain(name))
    parts = re.findall(r"[^\W\d_]+\d*|\d+", parted.casefold())
    return any(part in SUMMARIES for part in parts) and all(
        part in SUMMARIES or part in BESIDE or part.isdecimal() for part in parts
    )


def summaries(names: Iterable[Any]) -> set[Any]:
    """Give those names of a column that stand for no run or data set, but sum others up.

    Beside numbers, any word or range that is none; beside names with digits (`s1`, hashes) and
    beside a hundred words at most, the words of a summary. Percentiles count where such a word is.
    """
    every = dict.fromkeys(names)
    distinct = [name for name in every if type(name) is not int]  # a number sums nothing up
    whole = len(every) - len(distinct)
    texts = {name: plain(name) for name in distinct}
    worded = {name for name in distinct if is_summary(texts[name])}
    if worded:
        worded |= {name for name in distinct if re.fullmatch(r"\d+(\.\d+)? ?%", texts[name])}
    rest = [name for name in distinct if name not in worded]
    numbers = [name for name in rest if re.fullmatch(r"[-+]?\d+(\.\d*)?", texts[name])]
    bare = [
        name
        for name in rest
        if not re.search(r"\d", texts[name]) or re.fullmatch(_RANGE, texts[name])
    ]
    if len(numbers) + len(bare) == len(rest) and len(numbers) + whole > 2 * len(bare):
        return worded | set(bare)
    if len(bare) == len(rest) and not whole and len(rest) > FEW_NAMES:
        return set()
    return worded


def tokens(name: str) -> list[str]:
    """Split a metric's name into words.

    >>> tokens("valLoss"), tokens("test_top1-acc")
    (['val', 'loss'], ['test', 'top1', 'acc'])
    """
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[^\W_]+", parted.casefold())


def less_is_better(metric: str) -> bool:
    """Say whether a metric's name sounds as if less were better."""
    ends = ("loss", "error", "perplexity")
    return any(word in LESS or word.endswith(ends) for word in tokens(metric))


def is_rate(metric: str) -> bool:
    """Say whether a metric's name is that of a share of right answers."""
    return any(word in RATES or word.endswith("accuracy") for word in tokens(metric))


def is_error_rate(metric: str) -> bool:
    """Say whether a metric's name is that of a share of wrong answers.

    >>> is_error_rate("test_error_rate"), is_error_rate("squared error")
    (True, False)
    """
    parts = {*tokens(metric)}
    return bool(parts & ERROR_RATES) and parts <= ERROR_RATES | WHERE


def bare(name: Any) -> str:
    """Give a column's name without its unit and the groups that it is in, in small letters.

    >>> bare("Accuracy (%)"), bare("metrics.accuracy"), bare("eval/accuracy"), bare("Acc. (\\\\%)")
    ('accuracy', 'accuracy', 'accuracy', 'acc.')
    """
    return re.sub(r"\s*[([#%↑↓\\].*", "", re.split(r"[./](?=\w)", plain(name))[-1]).casefold()


def listed(names: Sequence[Any], most: int = 5) -> str:
    """Name some, and how many more there are."""
    shown = ", ".join(repr(plain(name)[:40]) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
