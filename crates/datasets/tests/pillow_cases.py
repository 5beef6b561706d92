"""Writes pillow_cases.txt: what Pillow makes of small images, for crates/datasets/tests/pillow.rs.

Run by hand, from this folder, when a case is added:

    python3 -m venv /tmp/pillow && /tmp/pillow/bin/pip install pillow==12.3.0 numpy==2.4.6
    /tmp/pillow/bin/python pillow_cases.py > pillow_cases.txt

Each line is `step channels height width digest`: the step as a dataset's name says it, the shape of the image before it, and
the SHA-256 of the bytes after it, planar. The pixels before it are those of a linear congruential generator, see `pixels`.

Pillow 13 takes the vertical pass first where the height shrinks much more than the width, which rounds a few pixels
differently. The cases are those of the versions before it, which published results come from.
"""

import hashlib

import numpy as np
from PIL import Image

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
SIZES = [
    ((28, 28), (32, 32)), ((32, 32), (28, 28)), ((7, 5), (3, 2)), ((7, 5), (13, 11)), ((1, 1), (4, 3)), ((9, 13), (1, 1)),
    ((33, 17), (17, 33)), ((105, 105), (28, 28)), ((64, 64), (32, 32)), ((32, 32), (64, 64)), ((37, 53), (224, 19)),
    ((10, 20), (10, 7)), ((20, 10), (7, 10)), ((218, 178), (39, 32)), ((2, 300), (5, 3)), ((31, 29), (97, 101)),
]


def pixels(channels, height, width):
    """High bytes of x <- 1664525 x + 1013904223 modulo 2^32 from x = 1; every other row is black or white only."""
    state, levels = 1, []
    for index in range(channels * height * width):
        state = (1664525 * state + 1013904223) % 2**32
        level = state >> 24
        levels.append(level if index // width % 2 == 0 else 255 * (level >> 7))
    return np.array(levels, dtype=np.uint8).reshape(channels, height, width)


def image(planar):
    return Image.fromarray(planar[0] if planar.shape[0] == 1 else planar.transpose(1, 2, 0).copy())


def planar(image):
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def case(step, shape, change):
    after = planar(change(image(pixels(*shape))))
    print(step, *shape, hashlib.sha256(after.tobytes()).hexdigest())


for channels in (1, 3):
    for (height, width), (new_height, new_width) in SIZES:
        for name, resample in FILTERS.items():
            step = f"resize={new_height}x{new_width}:{name}"
            case(step, (channels, height, width), lambda image: image.resize((new_width, new_height), resample))
    for degrees in (90, 180, 270):
        turn = getattr(Image.Transpose, f"ROTATE_{degrees}")
        case(f"rotate={degrees}", (channels, 7, 5), lambda image: image.transpose(turn))
    case("hflip", (channels, 7, 5), lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    case("vflip", (channels, 7, 5), lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    case("invert", (channels, 7, 5), lambda image: image.point(lambda level: 255 - level))
case("gray", (3, 97, 101), lambda image: image.convert("L"))
case("rgb", (1, 7, 5), lambda image: image.convert("RGB"))
