"""Makes the pictures of this folder and what Pillow decodes them to: `python golden.py` in the folder itself.

name.jpg is a file, name.sha its size, channels and SHA-256 of the bytes that Pillow gives (grey as L, others as RGB).
Pillow must be built with libjpeg-turbo; its defaults (islow, fancy up-sampling) are the contract.
"""
import hashlib
import io

import numpy as np
from PIL import Image

rng = np.random.default_rng(7)


def photo(h, w):
    """Gradients, edges and noise: every coefficient of a block is used."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    planes = [
        127 + 90 * np.sin(x / 9.0 + k) * np.cos(y / (7.0 + k)) + 60 * ((x + (k + 1) * y) % 23 < 8) + rng.normal(0, 14, (h, w))
        for k in range(3)
    ]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def save(name, image, **options):
    b = io.BytesIO()
    image.save(b, "JPEG", **options)
    with open(name + ".jpg", "wb") as f:
        f.write(b.getvalue())
    golden(name, b.getvalue())


def golden(name, data):
    image = Image.open(io.BytesIO(data))
    if image.mode != "L":
        image = image.convert("RGB")
    pixels = np.asarray(image)
    channels = 1 if pixels.ndim == 2 else 3
    with open(name + ".sha", "w") as f:
        f.write(f"{image.width} {image.height} {channels} {hashlib.sha256(pixels.tobytes()).hexdigest()}\n")


def transpose_sampling(data):
    """A 4:2:2 file whose frame header says 1x2 instead of 2x1: a valid 4:4:0 file when width and height are equal."""
    at = data.index(b"\xff\xc0")
    b = bytearray(data)
    assert b[at + 11] == 0x21
    b[at + 11] = 0x12
    return bytes(b)


def rename_components(data):
    """Drops the JFIF segment and calls the components R, G and B, so that the file means RGB without saying so."""
    assert data[2:4] == b"\xff\xe0"
    b = bytearray(data[:2] + data[4 + int.from_bytes(data[4:6], "big"):])
    at, scan = b.index(b"\xff\xc0"), b.index(b"\xff\xda")
    for k, c in enumerate(b"RGB"):
        b[at + 10 + 3 * k] = c
        b[scan + 5 + 2 * k] = c
    return bytes(b)


def raw(name, data):
    with open(name + ".jpg", "wb") as f:
        f.write(data)
    golden(name, data)


if __name__ == "__main__":
    picture = Image.fromarray(photo(37, 53))
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        save(name, picture, quality=85, subsampling=sampling)
        save(name + "-progressive", picture, quality=75, subsampling=sampling, progressive=True)
    save("grey", picture.convert("L"), quality=90)
    save("grey-progressive", picture.convert("L"), quality=60, progressive=True)
    save("optimised", picture, quality=95, optimize=True)
    save("rough", picture, quality=5)
    save("restart", picture, quality=80, subsampling=2, restart_marker_blocks=3)
    save("restart-progressive", picture, quality=80, progressive=True, restart_marker_rows=1)
    save("cmyk", picture.convert("CMYK"), quality=90)
    save("rgb", picture, quality=90, keep_rgb=True)
    for w, h in ((1, 1), (2, 3), (5, 4), (8, 8), (16, 16), (17, 9), (3, 33)):
        save(f"size-{w}x{h}", Image.fromarray(photo(h, w)), quality=90, subsampling=2)
        save(f"size-{w}x{h}-422", Image.fromarray(photo(h, w)), quality=90, subsampling=1)
    save("orientation", picture.crop((0, 0, 8, 6)), exif=bytes.fromhex("4578696600004d4d002a00000008000101120003000000010006000000000000"))
    square = io.BytesIO()
    Image.fromarray(photo(32, 32)).save(square, "JPEG", quality=80, subsampling=1)
    raw("440", transpose_sampling(square.getvalue()))
    plain = io.BytesIO()
    Image.fromarray(photo(16, 16)).save(plain, "JPEG", quality=90, subsampling=0)
    raw("named-rgb", rename_components(plain.getvalue()))
    cmyk = io.BytesIO()
    Image.fromarray(np.concatenate([photo(16, 24), photo(16, 24)[:, :, :1]], -1), "CMYK").save(cmyk, "JPEG", quality=90)
    b = bytearray(cmyk.getvalue())
    at = b.index(b"Adobe")
    b[at + 11] = 2
    raw("ycck", bytes(b))
