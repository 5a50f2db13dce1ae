"""The model card that `train` writes beside its checkpoints: what the model is, what it is for, and how good it is.

The headings follow Mitchell et al., Model Cards for Model Reporting, 2019 (doi 10.1145/3287560.3287596).
"""

from collections.abc import Mapping
from pathlib import Path
from string import Template

from lfdtcmen.files import atomic_path

FILE_NAME = "MODEL_CARD.md"

CARD = Template("""\
# Model card: LFD-TCMEN, $classes classes, trained on $trained_on

$headline

## Model details

- What: LFD-TCMEN (Qian, Huang and Qu, *Entropy* 2026, 28(2), 180), written from the paper's text; neither code nor
  weights are the authors'.
- Network: $network.
- Training: up to stage $stage of the paper's three (4.4), profile `$profile`, seed $seed. Perceptual loss: VGG-19,
  $vgg19.
- Input: onset and apex frame of one clip, one upright face from the front, aligned to 128x128 RGB, and the TV-L1 flow
  between them. Output: $output.
- Made: $date, with lfdtcmen $version. Checkpoint: `$checkpoint`. Licence of the code: MIT.

## Intended use

Teaching and research on the method: to see how such a network is built, trained and judged. Its users are people who
learn or study micro-expression recognition, with clips of people who agreed to it.

## Out of scope

To judge, screen, hire, grade, monitor or question anybody; to tell lies from truth; any decision about a person; any
use on people who did not agree. Nor faces from the side, faces that speak, several faces in a frame, or still pictures.

## Factors

Results may differ by person, skin colour, age, glasses, light, camera and frame rate. The scores below are over all
held-out subjects together and not broken down by any of these.

## Training data

$training_data

## Evaluation data

$evaluation_data

## Metrics and results

$results

## Limitations

- A class is what annotators of the data call it, not what a person feels. A micro-expression has many causes.
- The probabilities are a softmax. They are not calibrated, and a face without any expression gets a class as well.
$limitations

## Responsible use

Read [RESPONSIBLE_USE.md](../../RESPONSIBLE_USE.md) before you use this on anybody. Emotion recognition is restricted or
forbidden in workplaces and schools in some jurisdictions.

## How to make it again

```bash
$command
```

With the packages of `constraints.txt`, the same version and a like processor, the weights come out the same up to
rounding. Fingerprint of the training data: `$fingerprint`.
""")


def write_model_card(run_dir: Path | str, about: Mapping, checkpoint: str, held_out: Mapping, command: str) -> Path:
    """Write ``run_dir/MODEL_CARD.md``, whole or not at all, and return its path.

    Parameters
    ----------
    run_dir : path
    about : mapping
        What :func:`lfdtcmen.training.checkpoint.describe` says of the training.
    checkpoint : str
        Name of the checkpoint's file.
    held_out : mapping
        The subjects that training did not see: ``subjects`` (how many), ``samples`` (class -> how many), and, after
        stage 2 or 3, ``scores`` (metric -> value, low, high, majority: the score of always naming the most frequent
        class of training) and ``recall`` (class -> share found, None where the class has no sample).
    command : str
        What makes the same model again.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    data, network, names = about["data"], about["network"], about["label_names"]
    trained_on = data_name(data)
    classifies = about["stage"] >= 2
    path = Path(run_dir) / FILE_NAME
    text = CARD.substitute(
        classes=len(names),
        trained_on=trained_on,
        headline=_headline(data, classifies),
        network=", ".join(f"{part} = {value or 'none'}" for part, value in network.items()),
        stage=about["stage"],
        profile=about["profile"],
        seed=about["seed"],
        vgg19=about["vgg19"],
        output=f"a probability for each of {enumerate_words(names)}"
        if classifies
        else "codes of identity and motion, no class",
        date=about["date"],
        version=about["version"],
        checkpoint=checkpoint,
        training_data=f"{in_numbers(trained_on, data['subjects'], data['samples'])}{_details(about)}",
        evaluation_data=in_numbers(trained_on, held_out["subjects"], held_out["samples"])
        + " Training saw no picture of them.",
        results=_results(held_out) if classifies else "No scores: stage 1 does not learn to classify.",
        limitations=_limitations(data),
        command=command,
        fingerprint=data["fingerprint"],
    )
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def data_name(data: Mapping) -> str:
    """Return what a checkpoint's data are called: "drawn faces" for synthetic ones."""
    names = ["drawn faces" if name == "synthetic" else name for name in data["sets"]]
    return enumerate_words(names) if names else "data without a name"


def _headline(data: Mapping, classifies: bool) -> str:
    if not classifies:
        return "**It cannot classify: stage 1 learns to take identity and motion apart, and nothing else.**"
    if data["synthetic"]:
        return (
            "**It has learned from drawn faces, not from people. What it says of a real face shows the way from video "
            "to result, and says nothing about the person.**"
        )
    return "**What it says of a face is a guess at an annotator's label, not a measurement of a feeling.**"


def in_numbers(name: str, subjects: int, samples: Mapping[str, int]) -> str:
    """Return one sentence that counts subjects and samples, all and by class."""
    each = enumerate_words([f"{count} {label}" for label, count in samples.items()])
    return f"{name[0].upper()}{name[1:]}: {subjects} subjects, {sum(samples.values())} samples ({each})."


def _details(about: Mapping) -> str:
    data = about["data"]
    text = f" Label map `{about['label_map']}`."
    if data["fps"]:
        text += f" {enumerate_words([f'{value:g}' for value in data['fps']])} frames a second."
    if data["synthetic"]:
        text += (
            f" The faces are drawn by the package, preset `{data['preset']}`, with the shares of the classes in "
            "CAS(ME)^3 Part A; nobody's picture is in them."
        )
    return text


def _results(held_out: Mapping) -> str:
    people = held_out["subjects"]
    lines = [
        f"UF1 and UAR (4.2; 1 is best) with 95 % intervals over the {people} held-out subjects, beside the "
        "score of always naming the most frequent class.",
        "",
        "| metric | value | 95 % interval | always the most frequent class |",
        "|---|---|---|---|",
    ]
    for metric, score in held_out["scores"].items():
        interval = f"{score['low']:.3f} to {score['high']:.3f}"
        lines.append(f"| {metric} | {score['value']:.3f} | {interval} | {score['majority']:.3f} |")
    lines += ["", "| class | samples | found |", "|---|---|---|"]
    for name, share in held_out["recall"].items():
        lines.append(f"| {name} | {held_out['samples'][name]} | {'no sample' if share is None else f'{share:.0%}'} |")
    return "\n".join(lines)


def _limitations(data: Mapping) -> str:
    lines = ["- The scores are of one split of the subjects and one seed: another split or seed gives others."]
    if data["synthetic"]:
        lines.append(
            "- Drawn faces are simpler than people: the scores can't be compared with the paper's, and promise nothing "
            "for people."
        )
    if data["subjects"] < 30:
        lines.append(f"- {data['subjects']} subjects are few: expect it to do worse on a new person.")
    return "\n".join(lines)


def enumerate_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
