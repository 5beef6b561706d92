"""Submits a sweep file, follows it to its end and prints its table.

python examples/submit_and_follow.py ../sweeps/smoke.toml
"""

import json
import logging
import sys
import tomllib

import spillway

# Warnings say when the coordinator is lost and tried again.
logging.basicConfig(level=logging.WARNING, format="%(message)s")

path = sys.argv[1]
with open(path, "rb") as file:  # noqa: PTH123
    document = json.load(file) if path.endswith(".json") else tomllib.load(file)

with spillway.Client() as client:
    sweep = client.submit(document)
    print(sweep, flush=True)
    for snapshot in sweep.follow():
        print(snapshot, flush=True)
    print(sweep.table().to_string())
    print(sweep.jobs()[["job_id", "kind", "variant", "seed", "state", "reason"]].to_string())
