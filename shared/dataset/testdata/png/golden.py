"""Makes the PNG and GIF files of this folder and Pillow's reading of them: `python golden.py` in the folder itself.

name.sha holds width, height, and the SHA-256 of convert("RGB") and of convert("L").
"""
import hashlib
import struct
import zlib

import numpy as np
from PIL import Image

rng = np.random.default_rng(3)


def golden(name):
    image = Image.open(name)
    digests = [hashlib.sha256(np.asarray(image.convert(mode)).tobytes()).hexdigest() for mode in ("RGB", "L")]
    with open(name + ".sha", "w") as f:
        f.write(f"{image.width} {image.height} {digests[0]} {digests[1]}\n")


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(name, depth, kind, channels, width=11, height=5, extra=b"", limit=None, interlaced=0):
    """Writes a PNG of random samples by hand, since Pillow does not write every colour type."""
    limit = limit or 1 << depth
    rows = b""
    for x, y, dx, dy in ADAM7 if interlaced else ((0, 0, 1, 1),):
        across, down = -(-(width - x) // dx), -(-(height - y) // dy)
        for _ in range(down if across > 0 else 0):
            samples = rng.integers(0, limit, across * channels)
            if depth == 16:
                rows += b"\0" + samples.astype(">u2").tobytes()
            elif depth == 8:
                rows += b"\0" + samples.astype("u1").tobytes()
            else:
                bits = ((samples[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).ravel()
                rows += b"\0" + np.packbits(bits).tobytes()

    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)))
        f.write(extra and b"".join(chunk(extra_tag, data) for extra_tag, data in extra) or b"")
        f.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    golden(name)


if __name__ == "__main__":
    for depth in (1, 2, 4, 8):
        png(f"grey{depth}.png", depth, 0, 1)
        palette = rng.integers(0, 256, 3 << depth).astype("u1").tobytes()
        png(f"palette{depth}.png", depth, 3, 1, extra=[(b"PLTE", palette), (b"tRNS", bytes([0, 100]))])
    png("grey-transparent.png", 8, 0, 1, extra=[(b"tRNS", b"\0\x07")])
    png("rgb8.png", 8, 2, 3)
    png("rgb8-transparent.png", 8, 2, 3, limit=2, extra=[(b"tRNS", bytes(6))])
    png("rgb16.png", 16, 2, 3)
    png("grey-alpha8.png", 8, 4, 2)
    png("grey-alpha16.png", 16, 4, 2)
    png("rgba8.png", 8, 6, 4)
    png("rgba16.png", 16, 6, 4)
    Image.fromarray(rng.integers(0, 256, (6, 9, 3)).astype("u1")).quantize(16).save("palette.gif")
    golden("palette.gif")
    # Interlaced files and BMP came later: they follow, so that the files above keep their bytes.
    for depth in (1, 4, 8):
        png(f"grey{depth}-interlaced.png", depth, 0, 1, interlaced=1)
        palette = rng.integers(0, 256, 3 << depth).astype("u1").tobytes()
        png(f"palette{depth}-interlaced.png", depth, 3, 1, extra=[(b"PLTE", palette)], interlaced=1)
    png("rgb8-interlaced.png", 8, 2, 3, interlaced=1)
    png("rgb16-interlaced.png", 16, 2, 3, interlaced=1, width=1)
    png("rgba8-interlaced.png", 8, 6, 4, interlaced=1, width=3, height=17)
    colours = Image.fromarray(rng.integers(0, 256, (6, 9, 3)).astype("u1"))
    for name, image in (("rgb", colours), ("palette", colours.quantize(200)), ("grey", colours.convert("L")), ("bit", colours.convert("1"))):
        image.save(f"{name}.bmp")
        golden(f"{name}.bmp")
    still = Image.fromarray(rng.integers(0, 256, (20, 9, 3)).astype("u1"))
    still.quantize(16).save("interlaced.gif", interlace=1)
    golden("interlaced.gif")
    still.quantize(8).save("animated.gif", save_all=True, append_images=[still.rotate(180).quantize(8)], transparency=3)
    golden("animated.gif")
