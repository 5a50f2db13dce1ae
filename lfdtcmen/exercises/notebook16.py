"""Exercises of notebook 16: effective numbers, once is enough, what a remedy buys, a strength chosen on test people."""

import numpy as np

from lfdtcmen.evaluation.metrics import uar, uf1
from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

COUNTS = np.array([457.0, 55.0, 187.0])


def _array(value: object, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    expect(array.shape == shape, f"{name} should have the shape {list(shape)}, it has {list(array.shape)}.")
    return array


def _effective_weights(answer: Answer) -> None:
    """16.1, ``effective_weights(class_counts, beta)``: 1 / E_c, scaled so that they add up to the classes, [C]."""
    weights = _array(call(answer, COUNTS, 0.99), (3,), "The weights")
    numbers = (1 - 0.99**COUNTS) / (1 - 0.99)
    expect(weights[1] > weights[0], "Your frequent class has the larger weight: a rare one should count more.")
    expect(not near(weights, 1 / numbers), "Nearly: scale them, so that they add up to the number of classes.")
    expect(
        not near(weights, 3 / COUNTS / (1 / COUNTS).sum()),
        "That is inverse frequency: the thousandth sample still counts as much as the first.",
    )
    expect(near(weights.sum(), 3), f"The weights should add up to 3, yours add up to {weights.sum():.3f}.")
    expect(near(weights, 3 / numbers / (1 / numbers).sum()), "They add up, but are not 1 / E_c. Is the exponent N_c?")
    flat = _array(call(answer, np.array([9.0, 1.0]), 0.0), (2,), "The weights")
    expect(near(flat, [1, 1]), "With beta 0 every class has the effective number 1. Does your function use its beta?")


def _class_of(answer: Answer) -> None:
    """16.2, ``predicted(logits, class_counts, trained_with)``: the prior is taken out once, not twice, [N]."""
    logits, counts = np.array([[2.0, 0.5], [0.2, 0.0], [0.0, 0.2]]), np.array([90, 10])
    plain = _array(call(answer, logits, counts, "cross_entropy"), (3,), "The plain network's classes")
    adjusted = _array(call(answer, logits, counts, "logit_adjusted"), (3,), "The adjusted network's classes")
    expect(
        not (adjusted == [1, 1, 1]).all(),
        "Trained with logit adjustment, the prior is out of the logits, and you take it out a second time.",
    )
    expect(
        not (adjusted == [0, 0, 0]).all(),
        "Trained with logit adjustment, the prior is out of the logits, and you put it back.",
    )
    expect((adjusted == [0, 0, 1]).all(), "Trained with logit adjustment, the largest logit is predicted as it stands.")
    expect(not (plain == [0, 0, 1]).all(), "Trained plainly, the logits still hold the prior: take it out.")
    expect(not (plain == [0, 0, 0]).all(), "For the plain network the rare class got even rarer. Which sign?")
    expect((plain == [1, 1, 1]).all(), "For the plain network: by how much does the logarithm of the share differ?")


CHANGES = ("recall", "F1")


def _changes(answer: Answer) -> None:
    """16.3, ``changes()``: by how much recall and F1 of a class change, as a dict."""
    result = call(answer)
    expect(isinstance(result, dict), "Return a dict: the score, and its change.")
    missing = [name for name in CHANGES if name not in result]
    expect(not missing, f"There is no change of {missing[:1]}. The names are {list(CHANGES)}.")
    recall, f1 = (as_number(result[name], f"'{name}'") for name in CHANGES)
    before, after = 2 * 20 / (55 + 30), 2 * 40 / (55 + 130)
    expect(abs(recall - 40 / 55) > 0.006, "'recall': that is the recall afterwards. Its change is asked for.")
    expect(abs(recall - 20 / 55) < 0.006, "'recall': of its own 55 samples, how many more are found?")
    expect(abs(f1 - after) > 0.006, "'F1': that is F1 afterwards. Its change is asked for.")
    expect(abs(f1 - (before - after)) > 0.006, "'F1': the size is right. Which of the two is larger?")
    expect(abs(f1 - (after - before)) < 0.006, "'F1': 2 TP, over its own samples and all that are predicted as it.")


TAUS = np.arange(0, 2.1, 0.25)


def _logs(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    logits = 1.2 * np.eye(3)[labels] + np.log([0.65, 0.08, 0.27]) + rng.normal(size=(len(labels), 3))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def _pick(log_p: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> float:
    return float(TAUS[np.argmax([uf1(labels, (log_p - t * np.log(prior)).argmax(1), 3) for t in TAUS])])


def nested(
    log_p: np.ndarray,
    labels: np.ndarray,
    fold: np.ndarray,
    prior_of: str = "others",
    tau_of: str = "others",
) -> np.ndarray:
    """Return the classes [N]; prior and strength come from the ``others``, the ``own`` fold, or ``all`` samples."""
    predicted = np.zeros_like(labels)
    for k in np.unique(fold):
        parts = {"others": fold != k, "own": fold == k, "all": fold >= 0}
        prior = np.bincount(labels[parts[prior_of]], minlength=3) / parts[prior_of].sum()
        tau = 1.0 if tau_of == "fixed" else _pick(log_p[parts[tau_of]], labels[parts[tau_of]], prior)
        predicted[fold == k] = (log_p[fold == k] - tau * np.log(prior)).argmax(1)
    return predicted


def _mended(answer: Answer) -> None:
    """16.4, ``mended_uf1(log_p, labels, fold)``: tau and prior come from the other folds; the score is pooled."""
    for seed in (3, 5):
        rng = np.random.default_rng(seed)
        labels, fold = rng.choice(3, 90, p=[0.6, 0.15, 0.25]), np.arange(90) % 3
        log_p = _logs(labels, rng)
        value = as_number(call(answer, log_p, labels, fold), "UF1")
        right = nested(log_p, labels, fold)
        own_tau = nested(log_p, labels, fold, tau_of="own")
        own_prior = nested(log_p, labels, fold, prior_of="own")
        folds = [uf1(labels[fold == k], right[fold == k], 3) for k in range(3)]
        for message, other in {
            "tau is still the best one of all samples, test people included.": uf1(
                labels, nested(log_p, labels, fold, "all", "all"), 3
            ),
            "tau is chosen fold by fold, but on the very fold that is scored.": uf1(labels, own_tau, 3),
            "tau is clean now. But whose shares is the prior?": uf1(labels, own_prior, 3),
            "Both are clean, but that is a mean over folds: pool the predictions, then score once.": np.mean(folds),
            "Clean, and pooled, but that is UAR.": uar(labels, right, 3),
            "That is tau = 1 for all: clean, but nothing is chosen any more.": uf1(
                labels, nested(log_p, labels, fold, tau_of="fixed"), 3
            ),
        }.items():
            expect(not near(value, other), message)
        expect(near(value, uf1(labels, right, 3)), "Not yet: for each fold, look at the other folds only.")


EXERCISES = {
    "16.1": Exercise(
        _effective_weights,
        (
            "E_c is one line of NumPy: class_counts is an array, and so is beta ** class_counts.",
            "Take 1 / E_c, divide by the sum, multiply by the number of classes.",
        ),
    ),
    "16.2": Exercise(
        _class_of,
        (
            "In one of the two cases, nothing is to be added or subtracted.",
            "The other case is section 7 with tau = 1; the shares are class_counts / class_counts.sum().",
        ),
    ),
    "16.3": Exercise(
        _changes,
        (
            "Write down TP, FN and FP before and after.",
            "F1 = 2 TP / (2 TP + FN + FP). What do 80 more false alarms do to the denominator?",
        ),
    ),
    "16.4": Exercise(
        _mended,
        (
            "Which samples may fold k's strength depend on? Two lines of the colleague look at others.",
            "Loop over folds: shares and best strength from fold != k, predictions for fold == k; score at the end.",
        ),
    ),
}
