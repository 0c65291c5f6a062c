"""What OpenCV reads: `python opencv.py > opencv.txt` in this folder. 4.12 and 5.0 agree.

A line is a file, width, height, and the SHA-256 of imread in RGB order and of its cvtColor to grey. CMYK is left out: there
OpenCV rounds otherwise than Pillow, by one level. opencv/ holds what the other folders have not: grey with 16 bits, and
orientations in EXIF.
"""
import glob
import hashlib
import struct

import cv2
import numpy as np
from PIL import Image

rng = np.random.default_rng(11)
exif = bytes.fromhex("49492a00080000000100120103000100000008000000")
pixels = rng.integers(0, 256, (5, 7, 3)).astype("u1")
Image.fromarray(rng.integers(0, 65536, (4, 6)).astype("u2")).save("opencv/grey16.png")
Image.fromarray(pixels).save("opencv/turned.png", exif=exif + bytes(4))
for o in range(1, 9):
    tag = b"Exif\0\0" + exif[:18] + struct.pack("<H", o) + bytes(6)
    Image.fromarray(rng.integers(0, 256, (5, 7, 3)).astype("u1")).save(f"opencv/turned{o}.jpg", exif=tag, quality=90)
for name in sorted(glob.glob("opencv/*.[jp]*g") + glob.glob("png/*.png")):
    read = cv2.imread(name)
    digests = [hashlib.sha256(x.tobytes()).hexdigest() for x in (read[:, :, ::-1], cv2.cvtColor(read, cv2.COLOR_BGR2GRAY))]
    print(name, read.shape[1], read.shape[0], *digests)
