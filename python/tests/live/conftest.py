"""The cluster that these tests run against: `cargo xtask test` starts one, as a user would, and names it here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spillway import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINT = os.environ.get("SPILLWAY_TEST_ENDPOINT")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if ENDPOINT is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="no cluster: `cargo xtask test` starts one for these"))


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    with Client(ENDPOINT) as connected:
        yield connected


@pytest.fixture(scope="session")
def database_url() -> str:
    return os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def program() -> Path:
    """The `spillway` program."""
    return Path(os.environ["SPILLWAY_TEST_PROGRAM"])
