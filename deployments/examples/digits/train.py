"""Makes model.onnx and the data of this example from scikit-learn's copy of the UCI handwritten digits.

    python train.py [--seed N] [--out DIR]        needs numpy, scikit-learn, onnx

The network looks at a digit through its power spectrum: a light smoothing, a 2-D DCT on a grid twice as fine as the
image (one MatMul), the square (Mul), then a perceptron with one hidden layer (Gemm, Relu, Gemm). Training standardises
the 256 powers, as one does; the file has mean and deviation folded into the first Gemm, as exporters do. So the tensor
between Mul and the first Gemm holds powers from tenths to hundreds, and small ones count as much as large ones.
Nothing is tuned after training.
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

SIDE, GRID, HIDDEN = 8, 16, 32
TRAIN, CALIBRATION = 597, 200


def spectrum_matrix():
    """[64, 256]: pixels to the coefficients of a 2-D DCT of the smoothed image, padded with zeros to 16 x 16."""
    smooth = 0.9 * np.eye(SIDE) + 0.05 * np.eye(SIDE, k=1) + 0.05 * np.eye(SIDE, k=-1)
    k, x = np.arange(GRID)[:, None], np.arange(SIDE)[None, :]
    dct = np.sqrt(2 / GRID) * np.cos(np.pi * (2 * x + 1) * k / (2 * GRID))
    dct[0] /= np.sqrt(2)
    one = dct @ smooth
    return np.kron(one, one).T


def train(pixels, labels, seed):
    """The float32 weights of the network, with the standardisation folded into the first layer."""
    transform = spectrum_matrix()
    powers = np.square(pixels @ transform)
    mean, deviation = powers.mean(0), powers.std(0)
    net = MLPClassifier((HIDDEN,), alpha=0.1, max_iter=300, random_state=seed)
    net.fit((powers - mean) / deviation, labels)
    first, second = net.coefs_
    weights = {
        "transform": transform,
        "w1": first.T / deviation,
        "b1": net.intercepts_[0] - (mean / deviation) @ first,
        "w2": second.T,
        "b2": net.intercepts_[1],
    }
    return {name: w.astype(np.float32) for name, w in weights.items()}


def model(weights):
    nodes = [
        helper.make_node("MatMul", ["pixels", "transform"], ["spectrum"], "dct"),
        helper.make_node("Mul", ["spectrum", "spectrum"], ["power"], "square"),
        helper.make_node("Gemm", ["power", "w1", "b1"], ["hidden"], "fc1", transB=1),
        helper.make_node("Relu", ["hidden"], ["active"], "relu"),
        helper.make_node("Gemm", ["active", "w2", "b2"], ["logits"], "fc2", transB=1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", SIDE * SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(w, name) for name, w in weights.items()],
    )
    out = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="digits example")
    out.ir_version = 8
    onnx.checker.check_model(out, full_check=True)
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    args = args.parse_args()

    digits = load_digits()
    order = np.random.RandomState(args.seed).permutation(len(digits.target))
    pixels, labels = digits.data[order], digits.target[order]
    weights = train(pixels[:TRAIN], labels[:TRAIN], args.seed)

    args.out.mkdir(exist_ok=True)
    onnx.save(model(weights), args.out / "model.onnx")
    np.save(args.out / "calibration.npy", pixels[:CALIBRATION].astype(np.uint8))
    np.save(args.out / "images.npy", pixels[TRAIN:].astype(np.uint8))
    np.save(args.out / "labels.npy", labels[TRAIN:].astype(np.uint8))


if __name__ == "__main__":
    main()
