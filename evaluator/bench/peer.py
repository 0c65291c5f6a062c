"""Times ONNX Runtime on single layers and models at the word of a benchmark that takes turns with it.

    peer.py DIR    DIR holds ort_bench.py

The first line of output names the peer. Each line of standard input is a command: {"layer": {...}, "form": "f32_nchwc",
"slice": 0.01} or {"model": PATH, "batch": 1, "slice": 0.3} prepares, null times one more slice of it. The answer to each
is a line with the seconds of one call, or "none" where ONNX Runtime has no such form.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import ort_bench  # noqa: E402


def model(path, batch):
    """The model with random inputs; words stay below 256, which every vocabulary has."""
    probe = ort_bench.session(path, 1)
    inputs = [(i.name, i.type, i.shape) for i in probe.get_inputs()]
    if batch > 1 and all(isinstance(shape[0], int) for _, _, shape in inputs):
        return None
    rng, feeds = np.random.default_rng(1), {}
    for name, kind, shape in inputs:
        shape = [d if isinstance(d, int) else batch if i == 0 else 128 for i, d in enumerate(shape)]
        if kind == "tensor(float)":
            feeds[name] = rng.standard_normal(shape, np.float32)
        else:
            whole = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}[kind]
            feeds[name] = np.ones(shape, whole) if "mask" in name else rng.integers(0, 2 if "type" in name else 256, shape).astype(whole)
    return ort_bench.Runner(path, feeds, 1)


def prepare(command):
    if "model" in command:
        return model(command["model"], command["batch"])
    made = ort_bench.FORMS[command["form"]](command["layer"])
    return made and ort_bench.Runner(*made, 1)


print("ONNX Runtime", onnxruntime.__version__, flush=True)
runner, repeats = None, 1
for line in sys.stdin:
    command = json.loads(line)
    if command:
        runner = None  # the old one's memory goes first
        runner = prepare(command)
        if runner:
            once = runner.timed(1)
            if once < command["slice"]:
                repeats = max(1, int(command["slice"] / max(once, 1e-7)))
                once = runner.timed(repeats)
            repeats = max(1, int(command["slice"] / max(once, 1e-7)))
    if runner:
        runner.run()  # warms up: the other side has had the caches
    print(runner.timed(repeats) if runner else "none", flush=True)
