"""What a user's own Python feeds a model: `python pillow.py convention picture... > fed.bin`, for pillow_test.go.

Writes, per picture, float32 [3,224,224] (imagenet-caffe in BGR): shorter side to 256 as torchvision computes it, centre
crop 224, then the convention's arithmetic on float32 arrays.
"""
import sys

import numpy as np
from PIL import Image

f32 = np.float32
CONVENTIONS = {
    "imagenet-torch": lambda x: (x / 255 - np.array([0.485, 0.456, 0.406], f32)) / np.array([0.229, 0.224, 0.225], f32),
    "imagenet-tf": lambda x: x / 127.5 - 1,
    "imagenet-caffe": lambda x: x[:, :, ::-1] - np.array([103.939, 116.779, 123.68], f32),
    "lite": lambda x: (x - 127) / 128,
}
for path in sys.argv[2:]:
    image = Image.open(path).convert("RGB")
    w, h = image.size
    size = (256, int(256 * h / w)) if w <= h else (int(256 * w / h), 256)
    image = image.resize(size, Image.BILINEAR)
    x, y = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    pixels = np.asarray(image.crop((x, y, x + 224, y + 224))).astype(f32)
    fed = CONVENTIONS[sys.argv[1]](pixels)
    assert fed.dtype == f32
    sys.stdout.buffer.write(np.ascontiguousarray(fed.transpose(2, 0, 1)).astype("<f4").tobytes())
