"""The model card that `train` writes next to its checkpoints: what the model is, what it is for, and how good it is.

The text is ``templates/model_card.md``. Its headings follow Mitchell et al., Model Cards for Model Reporting, 2019
(doi 10.1145/3287560.3287596).
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from lfdtcmen.evaluation.intervals import describe_interval
from lfdtcmen.files import atomic_path
from lfdtcmen.templates import render

FILE_NAME = "MODEL_CARD.md"
FEW_SUBJECTS = 30  # below it the card warns that the network has seen few people


def write_model_card(run_dir: Path | str, about: Mapping, checkpoint: str, held_out: Mapping, command: str) -> Path:
    """Write ``run_dir/MODEL_CARD.md``, whole or not at all, and return its path.

    Parameters
    ----------
    run_dir : path
        Folder of the run.
    about : mapping
        What :func:`lfdtcmen.training.checkpoint.describe` returned for the training.
    checkpoint : str
        Name of the checkpoint's file.
    held_out : mapping
        The subjects that training did not see: ``subjects`` (number), ``samples`` (class -> number), and, after stage 2
        or 3, ``scores`` (metric -> value, low, high, majority; low and high None for too few subjects) and ``recall``
        (class -> recall, None where the class has no sample). ``majority`` is the score of always predicting the most
        frequent class of training.
    command : str
        The command that makes the same model again.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    data = about["data"]
    trained_on = data_name(data)
    text = render(
        "model_card.md",
        about=about,
        data=data,
        trained_on=trained_on,
        classifies=about["stage"] >= 2,
        synthetic_only=synthetic_only(about),
        seen=describe_seen(about),
        commands=measure_commands(about, f"checkpoints/{checkpoint}"),
        classes=enumerate_words(about["label_names"]),
        network=", ".join(f"{part} = {value or 'none'}" for part, value in about["network"].items()),
        checkpoint=checkpoint,
        training_counts=count_sentence(trained_on, data["subjects"], data["samples"]),
        frame_rates=enumerate_words([f"{fps:g}" for fps in data["fps"]]),
        evaluation_counts=count_sentence(trained_on, held_out["subjects"], held_out["samples"]),
        held_out=held_out,
        few_subjects=FEW_SUBJECTS,
        describe_interval=describe_interval,
        command=command,
    )
    path = Path(run_dir) / FILE_NAME
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def synthetic_only(about: Mapping) -> bool:
    """Return whether the weights of a checkpoint have seen synthetic faces and no others, from their start on."""
    start = about.get("init")
    return bool(about["data"].get("synthetic")) and (start is None or synthetic_only(start))


def describe_seen(about: Mapping) -> str:
    """Return in a few sentences what the weights of a checkpoint have seen, from their start on."""
    data, added, start = about["data"], about.get("added"), about.get("init")
    preset = f" (preset {data['preset']})" if data.get("preset") else ""
    only = " only" if synthetic_only(about) else ""
    texts = [f"This network has seen {data_name(data)}{preset}{only}: {data['subjects']} people."]
    if added:
        people = f"{added['subjects']} synthetic people (preset {added['preset']})"
        texts.append(f"Among its training pairs were {people}, whose loss had the weight {added['weight']:g}.")
    if start:
        texts.append(f"Its training started from the weights of {start['file']}. {describe_seen(start)}")
    return " ".join(texts)


def measure_commands(about: Mapping, checkpoint: str) -> list[str]:
    """Return the two commands that prepare a reader's own labelled clips and score a checkpoint on them."""
    label_map, alignment = about.get("label_map", "raw"), about["data"].get("alignment", "similarity")
    words = ["lfdtcmen data prepare folder --root mine --annotation mine/clips.csv --spot-apex --test-set"]
    words += [f"--label-map {label_map}"] + ([] if alignment == "similarity" else [f"--alignment {alignment}"])
    return [" ".join(words), f"lfdtcmen evaluate --data data/prepared/mine --checkpoint {shlex.quote(checkpoint)}"]


def data_name(data: Mapping) -> str:
    """Return the name of a checkpoint's data: "synthetic faces", or the names of the sets."""
    words = {
        "synthetic": "synthetic faces",
        "other_world": "synthetic faces of the other world",
        "entangled": "entangled synthetic faces",
    }
    names = [words.get(name, name) for name in data["sets"]]
    return enumerate_words(names) if names else "data without a name"


def count_sentence(name: str, subjects: int, samples: Mapping[str, int]) -> str:
    """Return one sentence that counts the subjects and samples of a data set, all and by class."""
    by_class = enumerate_words([f"{count} {label}" for label, count in samples.items()])
    return f"{name[0].upper()}{name[1:]}: {subjects} subjects, {sum(samples.values())} samples ({by_class})."


def enumerate_words(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
