"""Writes `src/spillway/v1/`, the Python side of the wire, from `../proto`; `--check` compares and changes nothing.

The compiler is `grpcio-tools`, the type stubs are `mypy-protobuf`'s: install the versions that requirements.txt pins first,
or run `cargo xtask python --generate`, which does both.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
PROTOS = HERE.parent / "proto"
WRITTEN = HERE / "src" / "spillway" / "v1"
REMEDY = "cargo xtask python --generate"
PACKAGE = '"""The wire, generated from proto/spillway/v1 by generate.py: messages, services and their type stubs."""\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when the code is out of date")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = generate(Path(folder))
        if not check:
            replace(fresh)
            return 0
        stale = differences(fresh)
    if not stale:
        return 0
    print(f"python/src/spillway/v1 is not what proto/ gives ({', '.join(stale)}): run `{REMEDY}`", file=sys.stderr)
    return 1


def generate(folder: Path) -> dict[str, str]:
    """The files of the package, by name."""
    sources = sorted(path.relative_to(PROTOS).as_posix() for path in (PROTOS / "spillway" / "v1").glob("*.proto"))
    # Scripts of an environment that is not activated are not on the path: the plugin lies beside the interpreter.
    plugins = [f"--plugin={plugin(name)}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    arguments = [
        "protoc",
        f"--proto_path={PROTOS}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        *plugins,
        f"--python_out={folder}",
        f"--grpc_python_out={folder}",
        f"--mypy_out=quiet:{folder}",
        f"--mypy_grpc_out=quiet:{folder}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc refused the protos; it has said why")
    found = {path.name: path.read_text(encoding="utf-8") for path in (folder / "spillway" / "v1").iterdir()}
    return {"__init__.py": PACKAGE, **found}


def plugin(name: str) -> Path:
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside
    elsewhere = shutil.which(name)
    if elsewhere is None:
        sys.exit(f"{name} is missing: install what python/requirements.txt lists, or run `{REMEDY}`")
    return Path(elsewhere)


def replace(fresh: dict[str, str]) -> None:
    WRITTEN.mkdir(parents=True, exist_ok=True)
    for path in WRITTEN.iterdir():
        if path.is_file() and path.name not in fresh:
            path.unlink()
    for name, text in fresh.items():
        (WRITTEN / name).write_text(text, encoding="utf-8")


def differences(fresh: dict[str, str]) -> list[str]:
    """The names of files that are not as they should be."""
    written = {path.name: path.read_text(encoding="utf-8") for path in WRITTEN.glob("*.py*") if path.is_file()}
    return sorted(name for name in fresh.keys() | written.keys() if fresh.get(name) != written.get(name))


if __name__ == "__main__":
    sys.exit(main())
