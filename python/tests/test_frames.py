"""Rows as frames: columns, types, and what is absent."""

from __future__ import annotations

import pandas as pd
from google.protobuf.timestamp_pb2 import Timestamp

from spillway.frames import TIMES, frame
from spillway.v1 import result_pb2, sweep_pb2


def test_a_frame_has_a_typed_column_for_each_field_even_without_rows() -> None:
    rows = [sweep_pb2.AurocRow(sweep="demo", seeds=1, auroc_mean=0.25), sweep_pb2.AurocRow()]

    filled, empty = frame(sweep_pb2.AurocRow, rows), frame(sweep_pb2.AurocRow, [])

    assert list(filled.columns) == [field.name for field in sweep_pb2.AurocRow.DESCRIPTOR.fields]
    assert filled.dtypes.to_dict() == empty.dtypes.to_dict()
    types = {name: str(filled.dtypes[name]) for name in ("sweep", "seeds", "auroc_mean", "n_in")}
    assert types == {"sweep": "string", "seeds": "int64", "auroc_mean": "float64", "n_in": "int64"}
    assert len(empty) == 0


def test_what_is_absent_is_what_sql_calls_null() -> None:
    row = frame(result_pb2.EvaluationRow, [result_pb2.EvaluationRow(metric="auroc")]).iloc[0]

    assert row["metric"] == "auroc"
    assert row["dataset"] is pd.NA
    assert pd.isna(row["value"])


def test_times_are_utc_and_keep_their_microseconds() -> None:
    at = Timestamp(seconds=1_700_000_000, nanos=123_456_000)

    jobs = frame(result_pb2.JobRow, [result_pb2.JobRow(started_at=at), result_pb2.JobRow()])

    assert str(jobs.dtypes["started_at"]) == TIMES
    assert jobs["started_at"][0] == pd.Timestamp("2023-11-14T22:13:20.123456Z")
    assert jobs["started_at"][1] is pd.NaT


def test_a_message_in_a_row_gives_its_own_fields() -> None:
    summary = sweep_pb2.SweepSummary(name="demo", jobs=sweep_pb2.JobCounts(succeeded=3))

    sweeps = frame(sweep_pb2.SweepSummary, [summary])

    assert "jobs" not in sweeps.columns
    assert (sweeps["succeeded"][0], sweeps["failed"][0]) == (3, 0)


def test_digests_are_hexadecimal_text() -> None:
    figures = frame(result_pb2.FigureRow, [result_pb2.FigureRow(digest=bytes(range(32)))])

    assert figures["digest"][0] == bytes(range(32)).hex()
