"""Reading documents: what the wire gets, and the refusals that need no coordinator."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from documents import replaced, tiny_sweep
from google.protobuf import json_format

from spillway.documents import sweep_of
from spillway.errors import SweepError, Violation
from spillway.v1 import experiment_pb2, sweep_pb2

TINY = tiny_sweep("tiny")


def read(path: str, value: Any) -> sweep_pb2.SweepSpec:
    return sweep_of(replaced(TINY, path, value))


def refusals(path: str, value: Any) -> tuple[Violation, ...]:
    with pytest.raises(SweepError) as refused:
        read(path, value)
    return refused.value.violations


def test_a_document_becomes_the_message_with_the_same_fields() -> None:
    sweep = sweep_of(TINY)

    assert json_format.MessageToDict(sweep, preserving_proto_field_name=True) == {
        "name": "tiny",
        "seeds": ["1", "2"],
        "base": {
            "model": {
                "realnvp": {
                    "mask": "MASK_SCHEME_CYCLE",
                    "couplings": 4,
                    "st_network": {"resnet": {"width": 4, "blocks": 1}},
                },
            },
            "data": {"dataset": "synthetic-shapes", "train_images": 256},
            "training": {"steps": 20, "batch_size": 16, "optimiser": {"adam": {"learning_rate": 1e-3}}},
            "evaluation": {"out": ["synthetic-strokes"], "images": 64},
        },
        "expansion": {"grid": {"axes": [{"field": "model.realnvp.mask", "values": ["horizontal", "cycle"]}]}},
        "execution": {"checkpoint_secs": 1},
    }


def test_choices_are_names_or_tables_in_kebab_case() -> None:
    realnvp = {**TINY["base"]["model"]["realnvp"], "transform": "affine"}
    by_name = read("base.model.realnvp", realnvp).base.model.realnvp.transform
    by_bare_name_of_a_table = read("base.model.realnvp", {**realnvp, "transform": "spline"}).base.model.realnvp
    network = read("base.model.realnvp.st_network", {"glow-convnet": {"width": 8}}).base.model.realnvp.st_network
    schedule = read("base.training.schedule", {"warm-up-cosine": {"warm_up_steps": 5}}).base.training.schedule

    assert by_name.WhichOneof("kind") == "affine"
    assert by_bare_name_of_a_table.transform.WhichOneof("kind") == "spline"
    assert network.glow_convnet.width == 8
    assert schedule.warm_up_cosine.warm_up_steps == 5


def test_a_table_without_entries_is_there() -> None:
    training = read("base.training.on_divergence", {"restart": {}}).base.training

    assert training.on_divergence.WhichOneof("kind") == "restart"
    assert read("base.inspection", {}).base.HasField("inspection")
    assert not sweep_of(TINY).base.HasField("inspection")


def test_constants_lose_their_prefix() -> None:
    assert read("base.parity", "flows-ood").base.parity == experiment_pb2.PARITY_FLOWS_OOD
    scheme = read("base.model.realnvp.mask", "sub-quadrant").base.model.realnvp.mask
    assert scheme == experiment_pb2.MASK_SCHEME_SUB_QUADRANT
    scheme = read("base.model.realnvp.mask", "center").base.model.realnvp.mask
    assert scheme == experiment_pb2.MASK_SCHEME_CENTRE


def test_a_list_of_masks_has_one_for_each_coupling_layer() -> None:
    masks = [
        [0, 1],
        "horizontal-reversed",
        "checkerboard",
        {"centre": {"margin": 2}},
        "centre",
        {"sub-quadrant": {"factor": 2, "from": 3, "to": 1}},
    ]

    realnvp = read("base.model.realnvp.mask", masks).base.model.realnvp

    assert realnvp.mask == experiment_pb2.MASK_SCHEME_UNSPECIFIED
    kinds = [mask.WhichOneof("kind") for mask in realnvp.masks]
    assert kinds == ["quadrants", "horizontal", "checkerboard", "centre", "centre", "sub_quadrant"]
    assert (getattr(realnvp.masks[0].quadrants, "from"), realnvp.masks[0].quadrants.to) == (0, 1)
    assert realnvp.masks[1].horizontal == experiment_pb2.MASK_ORDER_REVERSED
    assert (realnvp.masks[3].centre.margin, realnvp.masks[4].centre.HasField("margin")) == (2, False)
    assert json_format.MessageToDict(realnvp.masks[5].sub_quadrant) == {"factor": 2, "from": 3, "to": 1}


def test_axes_and_points_take_values_of_every_kind() -> None:
    values = [1, 2.5, True, None, "cycle", [[0, 1], "horizontal"], {"resnet": {"width": 4, "blocks": 1}}]
    axes = [{"field": "model.realnvp.mask", "values": values}]
    drawn = {"axes": [{"field": "x", "range": {"low": 1e-6, "high": 1, "scale": "log"}}], "draws": 9, "seed": 1}

    grid = read("expansion", {"grid": {"axes": axes}}).expansion.grid
    points = read("expansion", {"list": {"points": [{"training.steps": 5, "model": {}}]}}).expansion.list.points
    sobol = read("expansion", {"sobol": drawn}).expansion.sobol

    assert json_format.MessageToDict(grid.axes[0])["values"] == values
    assert json_format.MessageToDict(points[0]) == {"training.steps": 5, "model": {}}
    assert (sobol.axes[0].range.high, sobol.axes[0].range.scale, sobol.draws, sobol.seed) == (1.0, "log", 9, 1)


def test_no_clipping_is_null_or_zero() -> None:
    assert not sweep_of(TINY).base.training.HasField("gradient_clip_norm")
    for written in (None, 0):
        training = read("base.training.gradient_clip_norm", written).base.training
        assert training.HasField("gradient_clip_norm")
        assert training.gradient_clip_norm == 0


def test_numbers_of_numpy_are_numbers() -> None:
    sweep = read("seeds", np.arange(3))
    axes = [{"field": "training.weight_decay", "values": np.geomspace(1e-6, 1e-4, 3)}]

    assert list(sweep.seeds) == [0, 1, 2]
    assert read("base.training.steps", np.int32(7)).base.training.steps == 7
    values = read("expansion", {"grid": {"axes": axes}}).expansion.grid.axes[0].values
    assert [value.number_value for value in values] == list(np.geomspace(1e-6, 1e-4, 3))


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        ("nmae", "x", "nmae", "unknown field: one of name, description, seeds"),
        ("base.training.batch-size", 16, "base.training.batch-size", "unknown field"),
        ("base.model.realnvp.masks", [], "base.model.realnvp.masks", "unknown field"),
        ("seeds", "12", "seeds", "text: a list expected"),
        ("seeds", [1, 2.5], "seeds[1]", "a number: a whole number expected"),
        ("seeds", [True], "seeds[0]", "true or false: a whole number expected"),
        ("seeds", [-1], "seeds[0]", "-1 is out of range: 0 to 18446744073709551615 allowed"),
        ("base.training.steps", 2**32, "base.training.steps", "4294967296 is out of range"),
        ("base.training.steps", None, "base.training.steps", "missing: a number expected"),
        ("base.training.weight_decay", "1e-3", "base.training.weight_decay", "text: a number expected"),
        ("base.training.weight_decay", float("nan"), "base.training.weight_decay", "nan is not a finite number"),
        ("base.data", "mnist", "base.data", "text: a table expected"),
        ("base.data.dataset", 3, "base.data.dataset", "a number: text expected"),
        (
            "base.model.realnvp.mask",
            "cyclic",
            "base.model.realnvp.mask",
            "unknown choice `cyclic`: one of checkerboard,",
        ),
        ("base.model.realnvp.mask", ["cycle"], "base.model.realnvp.mask[0]", "unknown mask `cycle`"),
        ("base.model.realnvp.mask", [[0]], "base.model.realnvp.mask[0]", "two quadrants expected"),
        ("base.model.glow", {}, "base.model", "2 choices: one of realnvp, glow, tabular expected"),
        ("base.model", "realnvp", "base.model", "`realnvp` has fields of its own: a table expected"),
        ("base.training.schedule", {"constant": {}}, "base.training.schedule", "`constant` is written as a name"),
        ("base.training.schedule", "warm_up_cosine", "base.training.schedule", "unknown choice `warm_up_cosine`"),
        ("base.evaluation.scores", [], "base.evaluation.scores", "empty: give at least one"),
        ("expansion", {"random": {"axes": [], "draws": 1}}, "expansion.random.seed", "missing: a number expected"),
        (
            "expansion",
            {"grid": {"axes": [{"field": "a", "values": [datetime.date(2026, 1, 1)]}]}},
            "expansion.grid.axes[0].values[0]",
            "a date: a number expected",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_field(path: str, value: Any, field: str, message: str) -> None:
    violations = refusals(path, value)

    assert [violation.field for violation in violations] == [field]
    assert violations[0].message.startswith(message)


def test_every_refusal_is_reported_at_once() -> None:
    document = replaced(replaced(TINY, "base.training.steps", "many"), "seeds", [1.5])

    with pytest.raises(SweepError) as refused:
        sweep_of(document)

    assert {violation.field for violation in refused.value.violations} == {"seeds[0]", "base.training.steps"}
    assert "base.training.steps: text: a whole number expected" in str(refused.value)


def test_a_dictionary_that_holds_itself_ends() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless

    violations = refusals("expansion", {"list": {"points": [endless]}})

    assert violations[0].message.startswith("more than 32 tables in each other")


def test_something_else_than_a_table_is_refused() -> None:
    with pytest.raises(SweepError) as refused:
        sweep_of([1])  # type: ignore[arg-type]

    assert refused.value.violations == (Violation("", "a list: a table expected"),)
    assert str(refused.value) == "a list: a table expected"
