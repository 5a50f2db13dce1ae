"""``lfdtcmen predict``: one clip, classified and explained on a page."""

from pathlib import Path
from typing import Annotated

import typer

from lfdtcmen.cli.options import Detector, Runs, output_folder
from lfdtcmen.cli.output import short_path


def predict(
    clip: Annotated[Path, typer.Argument(help="Video file, or folder of frames.")],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="File of stage 2 or 3, or shipped: weights that come with the package.",
            show_default="the newest one below runs, else shipped",
            metavar="PATH|shipped",
        ),
    ] = None,
    onset: Annotated[int | None, typer.Option(help="Frame in which it begins; spotted by default.")] = None,
    apex: Annotated[int | None, typer.Option(help="Frame in which it is strongest; spotted by default.")] = None,
    start: Annotated[int | None, typer.Option(help="First frame of a long clip to look at.")] = None,
    end: Annotated[int | None, typer.Option(help="Last frame to look at.")] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second, where the file does not tell (folders, slow motion).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the report.",
            show_default="runs/predict/CLIP, with a number for another clip of that name",
            parser=output_folder,
            metavar="PATH",
        ),
    ] = None,
    runs: Runs = None,
    detector: Detector = None,
) -> None:
    """Classify the micro-expression of a clip, and write a page that shows why: report.html, report.json.

    The face is found and aligned, onset and apex are spotted, and the network reads the pair and the flow between
    them. Frames of a video are counted from 0, those of a folder by their names.

    **Examples**

    - `lfdtcmen predict clip.mp4`: with the network below runs that was trained last, or the shipped one

    - `lfdtcmen predict frames/ --onset 46 --apex 59 --checkpoint runs/train/checkpoints/stage3-0123abcd.safetensors`

    - `lfdtcmen predict long.mp4 --start 300 --end 420`: four seconds of a long video
    """
    from lfdtcmen.files import runs_dir
    from lfdtcmen.predict.clip import newest_checkpoint, predict_clip
    from lfdtcmen.predict.model_card import describe_seen, measure_commands
    from lfdtcmen.predict.report import report_folder, write_report
    from lfdtcmen.training.weights import find_weights

    runs = runs or runs_dir()
    chosen = find_weights(checkpoint) if checkpoint else newest_checkpoint(runs)
    prediction = predict_clip(clip, chosen, onset, apex, start, end, fps, detector)
    page = write_report(prediction, out or report_folder(prediction, runs))
    typer.echo(f"network: {short_path(chosen)}")
    for text in prediction.warnings:
        typer.echo(f"note: {text}")
    spotted = "spotted" if prediction.spotted else "given"
    typer.echo(f"onset {prediction.onset}, apex {prediction.apex} ({spotted})")
    for name, value in sorted(zip(prediction.label_names, prediction.probabilities, strict=True), key=lambda x: -x[1]):
        typer.echo(f"{name:<12} {value:.2f}")
    typer.echo(f"{describe_seen(prediction.about)} How it does on your own clips, only labelled ones can tell:")
    for command in measure_commands(prediction.about, short_path(chosen)):
        typer.echo(f"  {command}")
    typer.echo(f"open {short_path(page)}")
