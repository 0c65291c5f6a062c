"""Times ONNX Runtime on single layers at the word of a Go benchmark, which takes turns with it.

    peer.py DIR    DIR holds ort_bench.py

Each line of standard input is a command: {"layer": {...}, "form": "f32_nchwc"} prepares a layer, an empty line times one
slice of it. The answer to each is a line with the seconds of one call, or "none" where ONNX Runtime has no such form.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
import ort_bench  # noqa: E402

SLICE = 0.01
runner, repeats = None, 1
for line in sys.stdin:
    if line.strip():
        command = json.loads(line)
        made = ort_bench.FORMS[command["form"]](command["layer"])
        runner = made and ort_bench.Runner(*made, 1)
        if runner:
            runner.timed(1)
            repeats = max(1, int(SLICE / max(runner.timed(1), 1e-7)))
            repeats = max(1, int(SLICE / max(runner.timed(repeats), 1e-7)))
    print(runner.timed(repeats) if runner else "none", flush=True)
