"""Writes golden.txt: `python golden.py > golden.txt`. A line is a resize and the SHA-256 of Pillow's result, or OpenCV's (4.12 and 5.0 agree):

width height channels filter new-width new-height digest

Byte i of a source picture is noise(i), which resample_test.go repeats: neighbours are unrelated, extremes are frequent.
"""
import hashlib

import cv2
import numpy as np
from PIL import Image

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "box": Image.BOX, "nearest": Image.NEAREST}
OPENCV = {"opencv-linear": cv2.INTER_LINEAR, "opencv-nearest": cv2.INTER_NEAREST}


def noise(n):
    i = np.arange(n, dtype=np.uint64)
    v = (i * 2654435761 + (i >> np.uint64(3)) * 40503) % (1 << 32)
    v = (v >> np.uint64(13)) & np.uint64(0x1FF)
    return np.clip(v.astype(np.int64) - 128, 0, 255).astype(np.uint8)


for w, h, c, ow, oh in (
    (64, 48, 3, 32, 24), (64, 48, 3, 31, 17), (37, 53, 3, 256, 367), (100, 75, 1, 28, 28), (5, 7, 3, 5, 3), (5, 7, 3, 9, 7),
    (1, 1, 3, 4, 4), (300, 2, 3, 7, 2), (2, 300, 1, 2, 11), (16, 16, 3, 16, 16), (333, 217, 3, 224, 224), (640, 480, 3, 341, 256),
):
    shape = (h, w, c) if c == 3 else (h, w)
    image = Image.fromarray(noise(w * h * c).reshape(shape))
    for name, f in FILTERS.items():
        out = np.asarray(image.resize((ow, oh), f))
        print(w, h, c, name, ow, oh, hashlib.sha256(out.tobytes()).hexdigest())
    for name, f in OPENCV.items():
        out = cv2.resize(np.asarray(image), (ow, oh), interpolation=f)
        print(w, h, c, name, ow, oh, hashlib.sha256(out.tobytes()).hexdigest())
