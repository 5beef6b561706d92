"""Submit sweeps to a Spillway cluster, follow them, and get their tables as data frames.

>>> import tomllib, spillway
>>> client = spillway.Client()
>>> with open("sweeps/demo.toml", "rb") as file:
...     sweep = client.submit(tomllib.load(file))
>>> sweep.wait()
>>> sweep.table()
"""

from spillway.client import Client, Validation, Variant
from spillway.connection import Patience
from spillway.errors import (
    AlreadyExistsError,
    DamagedArtifactError,
    IncompleteError,
    NoRoomError,
    NotFoundError,
    SpillwayError,
    SweepError,
    UnreachableError,
    Violation,
)
from spillway.sweep import Snapshot, Sweep

__all__ = [
    "AlreadyExistsError",
    "Client",
    "DamagedArtifactError",
    "IncompleteError",
    "NoRoomError",
    "NotFoundError",
    "Patience",
    "Snapshot",
    "SpillwayError",
    "Sweep",
    "SweepError",
    "UnreachableError",
    "Validation",
    "Variant",
    "Violation",
]
