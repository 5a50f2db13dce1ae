"""How many pairs of synthetic faces a second does one core render?

    python benchmarks/rendering.py

The time of the process alone is counted, identities included, so that other work on the machine has little effect.
"""

import argparse
import time

import cv2

from lfdtcmen.datasets.synthetic.dataset import render_subject
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.settings import PRESETS, get_settings

CLIPS_PER_SUBJECT = 7


def pairs_per_second(preset: str, subjects: int) -> float:
    emotions = [EMOTIONS[clip % len(EMOTIONS)] for clip in range(CLIPS_PER_SUBJECT)]
    render_subject(0, 0, emotions[:1], get_settings(preset))  # not timed: the first one sets up
    start = time.process_time()
    for subject in range(subjects):
        render_subject(0, subject, emotions, get_settings(preset))
    return subjects * CLIPS_PER_SUBJECT / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=6, help="how many, with 7 clips each")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    for preset in PRESETS:
        print(f"{preset}: {pairs_per_second(preset, args.subjects):.1f} pairs a second on one core", flush=True)


if __name__ == "__main__":
    main()
