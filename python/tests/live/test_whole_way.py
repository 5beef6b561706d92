"""From a dictionary to data frames that say what SQL says."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import psycopg
import pytest
from documents import replaced, tiny_sweep
from pandas.testing import assert_frame_equal

from spillway import AlreadyExistsError, Client, NotFoundError, Sweep, SweepError

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LIMIT_SECS = 300


@pytest.fixture(scope="module")
def sweep(client: Client) -> Sweep:
    """A sweep that has gone the whole way."""
    submitted = client.submit(tiny_sweep("python-whole-way"), user="python")
    snapshots = list(submitted.follow(timeout_secs=LIMIT_SECS))
    assert submitted.created
    assert [snapshot.finished for snapshot in snapshots] == [False] * (len(snapshots) - 1) + [True]
    assert (snapshots[-1].counts.succeeded, snapshots[-1].unsuccessful) == (8, 0)
    assert len(snapshots[-1].table()) == len(submitted.table())
    return submitted


def of_sql(database_url: str, view: str, like: pd.DataFrame, where: str) -> pd.DataFrame:
    """The rows of a view, read without the package, in the columns and types of a frame of ours."""
    columns = ", ".join(like.columns)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(f"select {columns} from {view} where {where}").fetchall()
    read: Iterable[tuple[str, Any]] = zip(like.columns, zip(*rows, strict=True), strict=True)
    return pd.DataFrame({name: pd.Series(list(values), dtype=like.dtypes[name]) for name, values in read})


def assert_same_rows(ours: pd.DataFrame, from_sql: pd.DataFrame, keys: list[str]) -> None:
    """Both hold the same rows; `keys` tell one from another."""
    assert not ours.empty
    found, expected = (rows.sort_values(keys).reset_index(drop=True) for rows in (ours, from_sql))
    assert_frame_equal(found, expected)


def test_the_table_is_the_sql_view_in_table_order(sweep: Sweep, database_url: str) -> None:
    table = sweep.table()

    # The view has an order of its own.
    assert_frame_equal(table, of_sql(database_url, "auroc", table, f"sweep = '{sweep.name}'"))
    of_likelihood = table[table["score"] == "log-likelihood"]
    assert list(of_likelihood["variant"]) == ["mask=horizontal", "mask=cycle"]
    assert of_likelihood["auroc_mean"].between(0, 1).all()
    assert set(of_likelihood["seeds"]) == {2}


def test_every_number_is_that_of_the_sql_view(sweep: Sweep, database_url: str) -> None:
    evaluations = sweep.evaluations()

    from_sql = of_sql(database_url, "evaluation", evaluations, f"sweep = '{sweep.name}'")
    assert_same_rows(evaluations, from_sql, ["variant", "seed", "out_dataset", "score", "metric", "dataset"])
    assert "auroc" in set(evaluations["metric"])


def test_jobs_and_curves_are_the_sql_views(sweep: Sweep, client: Client, database_url: str) -> None:
    jobs = sweep.jobs()
    experiment = int(jobs["experiment_id"][0])
    curve = client.training_curve(experiment)

    assert_same_rows(jobs, of_sql(database_url, "job_overview", jobs, f"sweep = '{sweep.name}'"), ["job_id"])
    from_sql = of_sql(database_url, "training_curve", curve, f"experiment_id = {experiment}")
    assert_same_rows(curve, from_sql, ["step"])
    assert (len(jobs), set(jobs["state"]), int(curve["step"].max())) == (8, {"succeeded"}, 20)


def test_statistics_are_the_sql_view_and_their_artifacts_are_there(
    sweep: Sweep, client: Client, database_url: str
) -> None:
    statistics = sweep.statistics()

    from_sql = of_sql(database_url, "statistics", statistics, f"sweep = '{sweep.name}'")
    assert_same_rows(statistics, from_sql, ["job_id", "dataset", "split"])
    assert "synthetic-strokes" in set(statistics["dataset"])
    assert len(client.artifact(statistics["digest"][0])) == statistics["bytes"][0]


def test_the_example_reads_the_same_table_from_postgres(
    sweep: Sweep, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SWEEP", sweep.name)

    read = runpy.run_path(str(EXAMPLES / "from_postgres.py"))

    printed = capsys.readouterr().out
    table = sweep.table()
    assert list(read["auroc"]["auroc_mean"]) == list(table["auroc_mean"])
    assert len(read["evaluations"]) == len(sweep.evaluations())
    assert int(read["curve"]["step"].max()) == 20
    assert all(variant in printed for variant in table["variant"])


def test_a_sweep_is_found_and_listed(sweep: Sweep, client: Client) -> None:
    assert client.sweep(sweep.name).id == client.sweep(sweep.id).id == sweep.id
    listed = client.sweeps().set_index("name").loc[sweep.name]
    assert (listed["id"], listed["variants"], listed["experiments"], listed["succeeded"]) == (sweep.id, 2, 4, 8)
    assert sweep.summary().jobs.succeeded == 8
    with pytest.raises(NotFoundError, match="no-such-sweep"):
        client.sweep("no-such-sweep")


def test_a_trained_flow_is_fetched_and_checked(sweep: Sweep, client: Client, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        query = "select checkpoint from trained_model where sweep = %s limit 1"
        (digest,) = connection.execute(query, [sweep.name]).fetchone() or (None,)

    assert digest is not None
    assert len(client.artifact(digest)) > 0
    with pytest.raises(NotFoundError):
        client.artifact("0" * 64)


def test_the_same_document_is_stored_once_and_another_one_is_refused(sweep: Sweep, client: Client) -> None:
    document = tiny_sweep(sweep.name)

    again = client.submit(document)
    assert (again.id, again.created) == (sweep.id, False)
    with pytest.raises(AlreadyExistsError, match=sweep.name):
        client.submit(replaced(document, "seeds", [3]))


def test_a_key_makes_a_submit_repeatable(client: Client) -> None:
    nowhere = replaced(tiny_sweep("python-keyed"), "execution.labels", ["nowhere"])

    first = client.submit(nowhere, idempotency_key="python-key")
    second = client.submit(nowhere, idempotency_key="python-key")

    assert (first.created, second.created, first.id) == (True, False, second.id)
    assert first.cancel("only its key mattered") == 8
    assert (first.cancel(), set(first.jobs()["state"])) == (0, {"cancelled"})
    assert first.retry(failed_only=True) == 0
    assert first.retry() == 8
    assert first.cancel() == 8


@pytest.mark.parametrize("method", ["validate", "submit"])
def test_the_coordinator_refuses_every_field_that_breaks_a_rule(client: Client, method: str) -> None:
    bad = replaced(replaced(tiny_sweep("python-bad"), "base.training.batch_size", 0), "base.evaluation.images", 1)

    with pytest.raises(SweepError) as refused:
        getattr(client, method)(bad)

    found = {violation.field: violation.message for violation in refused.value.violations}
    assert set(found) == {"base.training.batch_size", "base.evaluation.images"}
    assert "2 to 65536" in found["base.training.batch_size"]
