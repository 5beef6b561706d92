"""Makes the fixtures of this folder with PyTorch itself, and expected.json with what they hold.

    python make_files.py                    # PyTorch 2.x: everything but the old files
    python make_files.py old                # PyTorch 1.7.1, Python 3.7: old_*
    python make_files.py python2            # PyTorch 1.4.0, Python 2.7: python2_*

Run in this folder. Values are fixed, so a second run changes nothing but what PyTorch itself changed. The hostile
files are put together by hand: making them runs nothing.
"""

import binascii
import collections
import json
import os
import pickle
import sys

import torch

EXPECTED = {}


def note(name, state):
    """Writes down each tensor: type, shape, and the bytes in row-major order as hex."""
    rows = []
    for key, tensor in state.items():
        tensor = tensor.detach().contiguous()
        raw = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        rows.append([key, str(tensor.dtype).replace("torch.", ""), list(tensor.shape), binascii.hexlify(raw.numpy().tobytes()).decode()])
    EXPECTED[name] = rows


def save(name, what, state, **options):
    torch.save(what, name, **options)
    note(name, state)


def count(*shape, **options):
    """0, 0.5, 1, ... in that shape, from `start` on. Python 2 has no named arguments behind a list."""
    dtype, start = options.get("dtype", torch.float32), options.get("start", 0)
    size = 1
    for side in shape:
        size *= side
    return (torch.arange(size, dtype=torch.float64) * 0.5 + start).reshape(shape).to(dtype)


def network():
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        for place, tensor in enumerate(net.state_dict().values()):
            tensor.copy_(count(*tensor.shape, dtype=tensor.dtype, start=place))
    return net


def trained(net):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    net(count(4, 3)).sum().backward()
    optimizer.step()
    return optimizer


def views():
    base = count(4, 6)
    shared = count(12, start=100)
    return collections.OrderedDict(
        [
            ("contiguous", count(2, 3)),
            ("transposed", count(2, 3, 4).permute(2, 0, 1)),
            ("sliced", base[1:3, 2:5]),
            ("every_second", base[:, ::2]),
            ("expanded", count(3).expand(2, 3)),
            ("shared_head", shared[:4]),
            ("shared_tail", shared[4:].view(2, 4)),
            ("shared_twice", shared[:4]),
            ("single", torch.tensor(2.5)),
            ("empty", torch.zeros(0, 3)),
        ]
    )


def types():
    return collections.OrderedDict(
        [
            ("f16", count(3, dtype=torch.float16, start=-0.5)),
            ("bf16", count(3, dtype=torch.bfloat16, start=-0.5)),
            ("f32", count(3, dtype=torch.float32, start=-0.5)),
            ("f64", count(3, dtype=torch.float64, start=1e-300)),
            ("i64", torch.tensor([-(2**63), 2**63 - 1, 7])),
            ("i32", torch.tensor([-(2**31), 5], dtype=torch.int32)),
            ("i16", torch.tensor([-(2**15), 5], dtype=torch.int16)),
            ("i8", torch.tensor([-128, 5], dtype=torch.int8)),
            ("u8", torch.tensor([0, 255], dtype=torch.uint8)),
            ("bool", torch.tensor([True, False, True])),
            ("parameter", torch.nn.Parameter(count(2, 2))),
        ]
    )


def hostile():
    """A state dict that would run a shell command in a reader that believes pickles."""
    command = "touch statedict_was_fooled"

    class Bomb:
        def __reduce__(self):
            return os.system, (command,)

    return pickle.dumps({"weight": Bomb()}, protocol=2)


def archive(name, data):
    """A zip archive with the hostile pickle in the place of PyTorch's own."""
    import zipfile

    with zipfile.ZipFile(name, "w") as file:
        for entry, content in [("archive/data.pkl", data), ("archive/byteorder", b"little"), ("archive/version", b"3\n")]:
            file.writestr(zipfile.ZipInfo(entry), content)


def new_files():
    net = network()
    optimizer = trained(net)
    state = net.state_dict()
    checkpoint = {"net": state, "optimizer": optimizer.state_dict(), "epoch": 7, "loss": 0.25}
    wrapped = torch.nn.DataParallel(net).state_dict()
    old_way = {"_use_new_zipfile_serialization": False}

    save("views.pt", views(), views())
    save("types.pt", types(), types())
    save("network.pt", state, state)
    save("checkpoint.pt", checkpoint, state)
    save("parallel.pt", {"state_dict": wrapped}, state)
    save("protocol_4.pt", checkpoint, state, pickle_protocol=4)
    save("legacy.pt", checkpoint, state, **old_way)
    save("legacy_views.pt", views(), views(), **old_way)
    save("legacy_protocol_4.pt", types(), types(), pickle_protocol=4, **old_way)
    archive("hostile.pt", hostile())
    with open("hostile_legacy.pt", "wb") as file:
        facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
        for part in (0x1950A86A20F9469CFC6C, 1001, facts):
            pickle.dump(part, file, protocol=2)
        file.write(hostile() + pickle.dumps([], protocol=2))

    from safetensors.torch import save_file

    tensors = {name: tensor.detach() for name, tensor in types().items()}
    save_file(tensors, "types.safetensors", metadata={"made": "by safetensors", "about": "types"})
    note("types.safetensors", {name: tensors[name] for name in tensors})


def old_files():
    net = network()
    optimizer = trained(net)
    state = net.state_dict()
    save("old_zip.pt", {"net": state, "epoch": 7}, state)
    save("old_legacy.pth", {"net": state, "optim": optimizer.state_dict()}, state, _use_new_zipfile_serialization=False)
    # A protocol without the binary booleans and long integers of the later ones.
    save("old_protocol_1.pt", views(), views(), pickle_protocol=1)


def python2_files():
    net = network()
    state = net.state_dict()
    save("python2_legacy.pth", {"net": state, "optim": trained(net).state_dict()}, state)
    save("python2_views.pt", views(), views())
    # The first shape of the zip format, before it became the default.
    save("python2_zip.pt", views(), views(), _use_new_zipfile_serialization=True)


def main():
    torch.manual_seed(0)
    {"": new_files, "old": old_files, "python2": python2_files}["".join(sys.argv[1:])]()
    known = {}
    if os.path.exists("expected.json"):
        with open("expected.json") as file:
            known = json.load(file)
    known.update(EXPECTED)
    with open("expected.json", "w") as file:
        # One line for each tensor.
        files = []
        for name in sorted(known):
            rows = ",\n".join("    " + json.dumps(row) for row in known[name])
            files.append("  %s: [\n%s\n  ]" % (json.dumps(name), rows))
        file.write("{\n" + ",\n".join(files) + "\n}\n")


if __name__ == "__main__":
    main()
