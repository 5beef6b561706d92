"""Finding the coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillway import endpoint

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SPILLWAY_ENDPOINT", raising=False)
    monkeypatch.setenv("SPILLWAY_STATE_DIR", str(tmp_path))
    return tmp_path


def test_without_a_word_it_is_on_this_machine() -> None:
    assert endpoint.find() == "http://127.0.0.1:7450"


def test_an_announced_cluster_is_found(state_folder: Path) -> None:
    (state_folder / "endpoint").write_text("http://127.0.0.1:9999\n")

    assert endpoint.find() == "http://127.0.0.1:9999"


def test_the_environment_comes_before_the_folder_and_the_caller_before_both(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state_folder / "endpoint").write_text("http://127.0.0.1:9999\n")
    monkeypatch.setenv("SPILLWAY_ENDPOINT", "http://far:1")

    assert endpoint.find() == "http://far:1"
    assert endpoint.find("near:2") == "http://near:2"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://host:7450/", "http://host:7450"),
        ("host:7450", "http://host:7450"),
        ("http://host", "http://host:80"),
        ("http://[::1]:7450", "http://[::1]:7450"),
    ],
)
def test_addresses_are_read(given: str, expected: str) -> None:
    assert endpoint.checked(given) == expected
    assert f"http://{endpoint.target(expected)}" == expected


@pytest.mark.parametrize(
    "given", ["", "https://host:1", "http://", "host:port", "http://host:1/path", "http://host:70000"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint|[Pp]ort"):
        endpoint.checked(given)
