"""A scikit-learn pipeline whose parts can be left out: `train(seed, ...)` gives a test accuracy."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(seed: int, scale: bool, whiten: bool, balance: bool) -> dict[str, float]:
    """Split by the seed, fit, and score the rows that were held out."""
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, train_size=100, random_state=seed, stratify=y
    )
    steps = [StandardScaler()] if scale else []
    if whiten:
        steps.append(PCA(n_components=10, whiten=True, random_state=seed))
    weights = "balanced" if balance else None
    model = make_pipeline(*steps, LogisticRegression(max_iter=200, class_weight=weights))
    return {"accuracy": 100 * model.fit(x_train, y_train).score(x_test, y_test)}
