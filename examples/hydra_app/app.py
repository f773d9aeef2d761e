"""A Hydra app as it stands anywhere: it reads its config and prints what it has reached."""

from __future__ import annotations

import json

import hydra
import numpy as np
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=".", config_name="config")
def main(config: DictConfig) -> None:
    """Fit a ridge regression to few noisy rows; print the error on many others."""
    draw = np.random.default_rng(config.seed)
    truth = draw.normal(size=20)
    x, x_test = draw.normal(size=(config.rows, 20)), draw.normal(size=(2000, 20))
    y = x @ truth + draw.normal(size=config.rows)
    gram = x.T @ x + config.model.penalty * np.eye(20)
    error = x_test @ (np.linalg.solve(gram, x.T @ y) - truth)
    print(json.dumps({"error": float(np.sqrt((error**2).mean()))}))


if __name__ == "__main__":
    main()
