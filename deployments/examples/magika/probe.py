"""Shows what two well-known tools do to this example with their defaults.

    python probe.py [DIR]        needs numpy, onnx, onnxruntime, nncf
"""

import pathlib
import sys
import tempfile

import nncf
import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Samples(CalibrationDataReader):
    def __init__(self, rows):
        self.rest = iter(rows)

    def get_next(self):
        return next(self.rest, None)


def main():
    here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    lines = [line.rsplit(" ", 1) for line in (here / "labels.txt").read_text().splitlines()]
    rows = [{"bytes": np.load(here / "features" / name).astype(np.int32)[None]} for name, _ in lines]
    labels = [int(label) for _, label in lines]
    scored = [i for i in range(len(rows)) if i % 5]

    def hits(path):
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        n = sum(int(session.run(None, rows[i])[0].argmax() == labels[i]) for i in scored)
        return f"{n} of {len(scored)}   {100 * n / len(scored):.1f} %"

    print("float                        ", hits(here / "model.onnx"))
    with tempfile.TemporaryDirectory() as tmp:
        prepared, path = f"{tmp}/prepared.onnx", f"{tmp}/int8.onnx"
        quant_pre_process(str(here / "model.onnx"), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared, path, Samples(rows[::5]), quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )
        print("ONNX Runtime, quantize_static", hits(path))
        model = onnx.load(here / "model.onnx")
        onnx.save(nncf.quantize(model, nncf.Dataset(rows[::5]), subset_size=len(rows[::5])), path)
        print("NNCF, quantize               ", hits(path))


if __name__ == "__main__":
    main()
