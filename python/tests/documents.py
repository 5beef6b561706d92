"""Documents that tests begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SWEEPS = Path(__file__).resolve().parents[2] / "sweeps"
"""The sweep files of the repository."""


def tiny_sweep(name: str, *, steps: int = 20) -> dict[str, Any]:
    """The smallest sweep that goes the whole way, on built-in drawings: two masks, two seeds."""
    return {
        "name": name,
        "seeds": [1, 2],
        "base": {
            "model": {
                "realnvp": {"mask": "cycle", "couplings": 4, "st_network": {"resnet": {"width": 4, "blocks": 1}}},
            },
            "data": {"dataset": "synthetic-shapes", "train_images": 256},
            "training": {"steps": steps, "batch_size": 16, "optimiser": {"adam": {"learning_rate": 1e-3}}},
            "evaluation": {"out": ["synthetic-strokes"], "images": 64},
        },
        "expansion": {"grid": {"axes": [{"field": "model.realnvp.mask", "values": ["horizontal", "cycle"]}]}},
        "execution": {"checkpoint_secs": 1},
    }


def replaced(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path, such as `base.model`; with none at all, when it is `...`."""
    first, _, rest = path.partition(".")
    inner = replaced(document.get(first, {}), rest, value) if rest else value
    others = {key: other for key, other in document.items() if key != first}
    return others if inner is ... else {**others, first: inner}
