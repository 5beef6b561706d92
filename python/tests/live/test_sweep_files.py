"""A sweep file means the same to Python and to the `spillway` program, to the last field."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from documents import SWEEPS, replaced, tiny_sweep

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

    from spillway import Client

FILES = sorted(path.relative_to(SWEEPS).as_posix() for path in SWEEPS.rglob("*.toml"))


def of_program(program: Path, client: Client, *arguments: str) -> str:
    """What the program prints."""
    command = [str(program), "--endpoint", client.endpoint, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_same(document: dict[str, Any], client: Client, program: Path, folder: Path) -> None:
    """The program and the client give the same variants, and store the same sweep."""
    # No worker takes it, and no user's quota is touched for long.
    unwanted = replaced(document, "execution", {**document.get("execution", {}), "labels": ["nowhere"]})
    file = folder / "sweep.json"
    file.write_text(json.dumps(unwanted))
    printed = json.loads(of_program(program, client, "validate", str(file), "--format", "json"))

    validation = client.validate(document)

    # Not the labels: the wire's one number is a double, so that the `-30000.0` of an axis is `-30000` to a coordinator,
    # whoever sends it.
    fingerprints = [variant["fingerprint"] for variant in printed["variants"]]
    assert [variant.fingerprint for variant in validation.variants] == fingerprints
    (counts,) = printed["sweep"]
    assert (validation.experiments, validation.train_jobs) == (counts["experiments"], counts["train_jobs"])
    assert (validation.evaluate_jobs, validation.inspect_jobs) == (counts["evaluate_jobs"], counts["inspect_jobs"])
    stored = of_program(program, client, "submit", str(file)).strip()
    sweep = client.submit(unwanted)
    try:
        # Another document under this name would have been refused.
        assert (sweep.id, sweep.created) == (stored, False)
    finally:
        sweep.cancel()


def test_there_are_sweep_files() -> None:
    assert "demo.toml" in FILES


@pytest.mark.parametrize("name", FILES)
def test_sweep_files_are_the_same_sweeps(name: str, client: Client, program: Path, tmp_path: Path) -> None:
    with (SWEEPS / name).open("rb") as file:
        document = tomllib.load(file)

    assert_same(document, client, program, tmp_path)


MASKS = [
    [0, 1],
    "horizontal-reversed",
    "vertical",
    "checkerboard",
    "centre",
    {"centre": {"margin": 2}},
    {"sub-quadrant": {"factor": 2, "from": 0, "to": 1}},
]
GLOW = {
    "steps": 2,
    "multi_scale": False,
    "convolution": {"householder": {"reflections": 1}},
    "transform": {"spline": {"bins": 4}},
    "squeeze": "haar",
    "st_network": {"glow-convnet": {"width": 8}},
}
TRAINING = {
    "steps": 20,
    "batch_size": 16,
    "accumulate": 2,
    "decay": "all",
    "gradient_clip_norm": None,
    "optimiser": {"adamw": {"learning_rate": 1e-3, "beta2": 0.99}},
    "objective": {"negative": {"out": "synthetic-strokes", "threshold_nats": -3e4}},
    "schedule": {"warm-up-cosine": {"warm_up_steps": 5, "final_fraction": 0.1}},
    "on_divergence": {"restart": {"at_most": 2}},
}
RANGES = [
    {"field": "training.weight_decay", "range": {"low": 1e-6, "high": 1e-3, "scale": "log"}},
    {"field": "training.steps", "range": {"low": 10, "high": 20, "integer": True}},
    {"field": "model.realnvp.mask", "values": ["horizontal", "cycle"]},
]
# What no sweep file uses yet.
CHANGES: dict[str, dict[str, Any]] = {
    "masks": {
        "base.model.realnvp": {
            "mask": MASKS,
            "st_network": {"resnet-autoencoder": {"width": 4, "blocks": 2, "latent": 4}},
        },
        "expansion": ...,
    },
    "masks-of-an-axis": {
        "base.model.realnvp.couplings": ...,
        "expansion.grid.axes": [{"field": "model.realnvp.mask", "values": ["cycle", [[0, 1], "centre"]]}],
    },
    "glow": {"base.model": {"glow": GLOW}, "base.parity": "flows-ood", "expansion": ...},
    "training": {"base.training": TRAINING},
    "inspection": {"base.inspection": {"images": [3], "draws": 2, "parts": ["latents", "samples"]}},
    "draws": {"expansion": {"random": {"axes": RANGES, "draws": 5, "seed": 7}}},
    "stopping": {
        "base.training.validation": {"every_steps": 5, "examples": 16, "out": "synthetic-strokes"},
        "early_stopping": {"median": {"metric": "auroc", "after_steps": 5, "every_steps": 5}},
        "budget": {"experiments": 3, "device_hours": 0.5},
    },
    "execution": {"execution": {"priority": 7, "device": "cpu", "max_running": 1, "preemptible": False, "weight": 2}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_everything_else_in_the_language_is_the_same(name: str, client: Client, program: Path, tmp_path: Path) -> None:
    document = tiny_sweep(f"python-{name}")
    for path, value in CHANGES[name].items():
        document = replaced(document, path, value)

    assert_same(document, client, program, tmp_path)
