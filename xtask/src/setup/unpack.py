"""Takes out of wheels the libraries and headers that a build against libtorch needs.

usage: unpack.py TREE WHEEL...

TREE gets lib/ and include/. The CUDA half of libtorch stays out: a program that linked it would need a driver to start.
"""

import os
import shutil
import sys
import zipfile

LIBRARIES = {
    "torch/lib/libtorch_cpu.so",
    "torch/lib/libc10.so",
    "torch/lib/libtorch.so",
    "torch/lib/libgomp.so.1",
    # libtorch_cpu.so looks for these beside itself.
    "nvidia/cu13/lib/libcupti.so.13",
    "nvidia/cu13/lib/libcudart.so.13",
}
HEADERS = "torch/include/"


def place(tree, name):
    if name in LIBRARIES:
        return os.path.join(tree, "lib", os.path.basename(name))
    if name.startswith(HEADERS) and not name.endswith("/"):
        path = os.path.normpath(os.path.join(tree, "include", name[len(HEADERS):]))
        if path.startswith(os.path.normpath(tree) + os.sep):
            return path
    return None


def main():
    tree, *wheels = sys.argv[1:]
    os.makedirs(os.path.join(tree, "lib"))
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                path = place(tree, member.filename)
                if path is None:
                    continue
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with archive.open(member) as source, open(path, "wb") as out:
                    shutil.copyfileobj(source, out, 1 << 20)


main()
