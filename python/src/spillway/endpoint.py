"""Where the coordinator is, by the rules of the `spillway` program."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_ENDPOINT = "http://127.0.0.1:7450"
"""Where a coordinator on this machine listens when nobody says otherwise."""
_HTTP_PORT = 80


def find(given: str | None = None) -> str:
    """The endpoint `given`, else `SPILLWAY_ENDPOINT`, else what `spillway up` wrote into the state folder, else the default.

    The state folder is `SPILLWAY_STATE_DIR`, or `.spillway` in the current folder.
    """
    if given is not None:
        return checked(given)
    from_environment = os.environ.get("SPILLWAY_ENDPOINT")
    if from_environment:
        return checked(from_environment)
    state_folder = Path(os.environ.get("SPILLWAY_STATE_DIR", ".spillway"))
    try:
        return checked((state_folder / "endpoint").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        # No cluster of `spillway up` runs here.
        return DEFAULT_ENDPOINT


def checked(endpoint: str) -> str:
    """`endpoint` as a URL; `ValueError` when it is none. `host:port` is taken too."""
    url = endpoint if "://" in endpoint else f"http://{endpoint}"
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        message = f"{endpoint!r} is no endpoint: an address like {DEFAULT_ENDPOINT} expected"
        raise ValueError(message)
    # Reading the port checks it.
    return f"http://{parts.netloc}" if parts.port else f"http://{parts.netloc.rstrip(':')}:{_HTTP_PORT}"


def target(endpoint: str) -> str:
    """What gRPC calls a checked endpoint."""
    return urlsplit(endpoint).netloc
