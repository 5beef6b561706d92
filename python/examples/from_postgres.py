# %% [markdown]
# Results straight from Postgres, in a notebook: nothing of Spillway's is needed but the address of its database.
#
#     pip install 'spillway[postgres]'
#     export DATABASE_URL=...     # `spillway up` prints it
#     export SWEEP=demo

# %%
"""Reads the AUROC table, every number and a training curve of a sweep from the SQL views."""

import os

import pandas as pd
from sqlalchemy import create_engine, text

sweep = os.environ.get("SWEEP", "demo")
# SQLAlchemy wants to hear which driver; Postgres's own tools do not.
engine = create_engine("postgresql+psycopg://" + os.environ["DATABASE_URL"].split("://", 1)[1])

# %% [markdown]
# The table of a sweep. `comment on column` documents each column: `\d+ auroc` in psql shows it.

# %%
auroc = pd.read_sql(
    text("select * from auroc where sweep = :sweep order by variant_ordinal, out_dataset, score"),
    engine,
    params={"sweep": sweep},
)
print(auroc[["variant", "out_dataset", "score", "auroc_mean", "ci_low", "ci_high", "seeds"]].to_string(index=False))

# %% [markdown]
# Every number behind it: one row for each experiment, score, metric and dataset.

# %%
evaluations = pd.read_sql(text("select * from evaluation where sweep = :sweep"), engine, params={"sweep": sweep})
bits = evaluations[evaluations["metric"] == "bits-per-dim-mean"]
print(bits.pivot_table(index="variant", columns="dataset", values="value", aggfunc="mean").to_string())

# %% [markdown]
# The training curve of the first experiment.

# %%
curve = pd.read_sql(
    text(
        "select step, loss_nats, bits_per_dim, gradient_norm from training_curve"
        " where experiment_id = (select min(experiment_id) from training_curve where sweep = :sweep) order by step"
    ),
    engine,
    params={"sweep": sweep},
)
print(curve.tail().to_string(index=False))

# %%
engine.dispose()
