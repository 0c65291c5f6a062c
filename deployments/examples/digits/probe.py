"""Shows what ONNX Runtime's own static quantization does to this example: everything INT8, then with single layers left out.

    python probe.py [DIR]        needs numpy, onnx, onnxruntime
"""

import pathlib
import sys
import tempfile

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


class Samples(CalibrationDataReader):
    def __init__(self, array):
        self.rest = iter(array)

    def get_next(self):
        x = next(self.rest, None)
        return None if x is None else {"pixels": x[None].astype(np.float32)}


def main():
    here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    images, labels = np.load(here / "images.npy").astype(np.float32), np.load(here / "labels.npy")

    def hits(path):
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return int((session.run(None, {"pixels": images})[0].argmax(1) == labels).sum())

    base = hits(here / "model.onnx")
    print(f"float                     {base} of {len(labels)}")
    # A float fc1 needs a float square before it: the powers between the two are what INT8 cannot hold.
    for out in ([], ["dct"], ["square", "fc1"], ["fc2"]):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "int8.onnx"
            quantize_static(
                str(here / "model.onnx"), str(path), Samples(np.load(here / "calibration.npy")),
                quant_format=QuantFormat.QDQ, op_types_to_quantize=["MatMul", "Mul", "Gemm"], nodes_to_exclude=out,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
            )
            n = hits(path)
        name = "all but " + ", ".join(out) if out else "all INT8"
        print(f"{name:25} {n}   {100 * (n - base) / len(labels):+.2f} points")


if __name__ == "__main__":
    main()
