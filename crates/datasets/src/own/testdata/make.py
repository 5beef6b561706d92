"""Writes the pictures of this folder and what Pillow decodes them to. Run by hand with pillow==12.3.0 and numpy==2.4.6."""

import numpy as np
from PIL import Image

y, x = np.mgrid[0:8, 0:8]
colour = np.stack([30 * x, 30 * y, 15 * (x + y)], axis=-1).astype(np.uint8)
Image.fromarray(colour).save("colour.jpg", quality=90)
Image.fromarray(colour).save("progressive.jpg", quality=90, progressive=True, subsampling=0)
Image.fromarray(colour[..., 0].copy()).save("grey.jpg", quality=90)
Image.fromarray(colour).convert("CMYK").save("cmyk.jpg", quality=90)


def planes(name):
    array = np.asarray(Image.open(name))
    return (array[None] if array.ndim == 2 else array.transpose(2, 0, 1)).tobytes()


with open("pillow.bin", "wb") as file:
    file.write(b"".join(planes(name) for name in ["colour.jpg", "grey.jpg", "progressive.jpg"]))
