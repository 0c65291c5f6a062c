"""Prints, for each ONNX file in a folder, the operators of ONNX Runtime's optimised graph, as JSON."""
import json, os, sys
import onnx, onnxruntime as ort

folder, out = sys.argv[1], {}
for name in sorted(os.listdir(folder)):
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    o.optimized_model_filepath = os.path.join(folder, "optimised")
    o.log_severity_level = 4
    try:
        ort.InferenceSession(os.path.join(folder, name), o, providers=["CPUExecutionProvider"])
        out[name] = sorted(n.op_type for n in onnx.load(o.optimized_model_filepath).graph.node)
    except Exception as e:
        out[name] = ["refused: " + str(e).splitlines()[0]]
json.dump(out, sys.stdout)
