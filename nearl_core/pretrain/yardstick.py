"""`python -m nearl_core.pretrain.yardstick`: the linear probe on the teacher's own features.

The same draws as `bench accuracy`, so that a starter can be read beside it.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from nearl_core.bench.draws import Protocol, drawn
from nearl_core.errors import NearlError
from nearl_core.evaluation import Known, from_folder
from nearl_core.learn import evaluate, linear_probe
from nearl_core.learn.examples import Examples, FloatArray
from nearl_core.model.preprocessing import Preprocessing
from nearl_core.pretrain.teacher import Teacher
from nearl_core.scans import display, raster
from nearl_core.types import Label, LabelSet


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m nearl_core.pretrain.yardstick")
    parser.add_argument("root", type=Path, metavar="FOLDER", help="FOLDER/TASK/{train,test}/CLASS")
    parser.add_argument("--teacher", type=Path, required=True, help="MobileNetV2 safetensors")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in pixels")
    parser.add_argument("--shots", type=int, default=16)
    parser.add_argument("--draws", type=int, default=5)
    args = parser.parse_args()
    try:
        teacher = Teacher.load(args.teacher).eval()
        for task in sorted(p for p in args.root.iterdir() if (p / "train").is_dir()):
            values = _accuracies(teacher, task, args.size, args.shots, args.draws)
            error = np.std(values, ddof=1) / np.sqrt(len(values))
            sys.stdout.write(f"{task.name}: {np.mean(values):.3f} ± {error:.3f}\n")
    except NearlError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


def _accuracies(teacher: Teacher, task: Path, size: int, shots: int, draws: int) -> list[float]:
    names = sorted(p.name for p in (task / "train").iterdir() if p.is_dir())
    label_set = LabelSet(tuple(Label(name, name.replace("_", " ")) for name in names))
    train = from_folder(task / "train", label_set, first_id=1)
    test = from_folder(task / "test", label_set, first_id=1 + len(train.scans))
    known, asked = _features(teacher, train, size), _features(teacher, test, size)
    found = []
    for draw in range(draws):
        chosen = drawn(Protocol.SHOTS, train.targets, shots, draw=draw)
        examples = Examples(known[chosen], train.targets[chosen], np.ones(len(chosen)))
        patients = [str(row) for row in chosen]
        p = linear_probe.probabilities(examples, patients, asked, multi_label=False)
        found.append(evaluate.balanced_accuracy(p, test.targets))
    return found


def _features(teacher: Teacher, known: Known, size: int) -> FloatArray:
    """N x 1280, normalised."""
    prepare = Preprocessing(size, (0.0,) * 3, (1.0,) * 3, resize_mode="squash")
    found = []
    with torch.inference_mode():
        for scan in known.scans:
            picture = prepare(display.to_rgb(raster.frame(scan.path)[0]))
            found.append(teacher(picture[None]).last.mean((2, 3))[0])
    features = torch.nn.functional.normalize(torch.stack(found), dim=1)
    return features.double().numpy()


if __name__ == "__main__":
    sys.exit(main())
