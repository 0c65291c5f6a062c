"""Compares ONNX Runtime's two readings of an INT8 file: in integers (its optimiser at the highest level) and literally, in float (optimiser off).

literal.py MODEL FOLDER: FOLDER holds in_NAME.bin as for levels.py; the first sample is used. Every QuantizeLinear of the file is made to compute alone: what stands
between it and the QuantizeLinears before it becomes a model of its own, which is run literally on the integers that the whole file passes
there at the highest level. Prints one JSON object: steps, how many such models; levels, the integers compared; moved, those that differ; most, by how many levels
at most; through, the share of the integers that differ when the whole file is read literally.
"""
import collections, glob, json, os, sys
import numpy as np, onnx, onnxruntime as ort
from onnx import helper


def load(path):
    with open(path, "rb") as f:
        head = json.loads(f.readline())
        return np.frombuffer(f.read(), head["type"]).reshape(head["shape"])


def run(model, feed, level):
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    o.log_severity_level = 3
    o.graph_optimization_level = ort.GraphOptimizationLevel(level)
    s = ort.InferenceSession(model.SerializeToString(), o, providers=["CPUExecutionProvider"])
    return dict(zip([x.name for x in s.get_outputs()], s.run(None, feed)))


def step(model, made, constants, last):
    """The nodes between the result `last` and the QuantizeLinears before it, and the values that enter them."""
    nodes, entering, todo = set(), set(), [last]
    while todo:
        name = todo.pop()
        n = made.get(name)
        if name == "" or name in constants:
            continue
        if n is None or n.op_type == "QuantizeLinear" and name != last:
            entering.add(name)
        elif id(n) not in nodes:
            nodes.add(id(n))
            todo += n.input
    return [n for n in model.graph.node if id(n) in nodes], entering


def main(path, folder):
    feed = {os.path.basename(p)[3:-4]: load(p)[:1] for p in glob.glob(os.path.join(folder, "in_*.bin"))}
    model = onnx.load(path)
    constants = {i.name: i for i in model.graph.initializer}
    made = {o: n for n in model.graph.node for o in n.output}
    ends = [n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear"]
    tapped = onnx.load(path)
    known = {o.name for o in tapped.graph.output}
    tapped.graph.output.extend(helper.make_tensor_value_info(e, 2, None) for e in ends if e not in known)
    integers, literally, plain = run(tapped, feed, 99), run(tapped, feed, 0), run(model, feed, 99)
    for name, value in plain.items():
        assert (integers[name] == value).all(), "the taps changed what the runtime computes"
    report = collections.Counter(steps=len(ends))
    through = 0
    for end in ends:
        nodes, entering = step(model, made, constants, end)
        given = {name: feed[name] if name in feed else integers[name] for name in entering}
        reads = {i for n in nodes for i in n.input}
        graph = helper.make_graph(nodes, "step", [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in given.items()],
                                  [helper.make_tensor_value_info(end, 2, None)], [c for k, c in constants.items() if k in reads])
        alone = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
        d = abs(run(alone, given, 0)[end].astype(int) - integers[end].astype(int))
        report.update(levels=d.size, moved=int((d > 0).sum()))
        report["most"] = max(report["most"], int(d.max(initial=0)))
        through += int((literally[end] != integers[end]).sum())
    print(json.dumps({**report, "through": through / report["levels"]}))


main(*sys.argv[1:])
