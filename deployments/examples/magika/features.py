"""Makes features/ and labels.txt of this example from Magika's labelled test files.

    python features.py MAGIKA [--out DIR]        needs numpy

MAGIKA is a folder with config.min.json of the model and files/<set>/<label>/<file>, as Magika's tests_data has them. The
model sees a file as 2048 numbers: the first 1024 bytes of it without leading white space, and the last 1024 without
trailing white space, both taken from a block of 4096 bytes at the file's end; 256 stands where the file is shorter. They
are stored as uint16, one .npy a file, under the file's own name.
"""

import argparse
import json
import pathlib
import shutil

import numpy as np


def features(data, config):
    """uint16 [2048]: the beginning padded behind, the end padded in front."""
    block, begin, end, pad = (config[k] for k in ("block_size", "beg_size", "end_size", "padding_token"))
    head, tail = data[:block].lstrip()[:begin], data[-block:].rstrip()[-end:]
    out = np.full(begin + end, pad, np.uint16)
    out[: len(head)] = list(head)
    out[begin + end - len(tail) :] = list(tail)
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("magika", type=pathlib.Path)
    args.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    args = args.parse_args()

    config = json.loads((args.magika / "config.min.json").read_text())
    classes = config["target_labels_space"]
    shutil.rmtree(args.out / "features", ignore_errors=True)
    lines = []
    # Folders that are no class of the model, such as "empty", hold nothing to be scored.
    for file in sorted(f for f in (args.magika / "files").rglob("*") if f.is_file() and f.parent.name in classes):
        name = f"{file.relative_to(args.magika / 'files').as_posix()}.npy"
        target = args.out / "features" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        np.save(target, features(file.read_bytes(), config))
        lines.append(f"{name} {classes.index(file.parent.name)}\n")
    (args.out / "labels.txt").write_text("".join(lines))
    (args.out / "classes.txt").write_text("".join(f"{c}\n" for c in classes))


if __name__ == "__main__":
    main()
