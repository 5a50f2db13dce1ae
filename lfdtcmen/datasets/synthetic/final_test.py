"""The people and the motions of the final test, which no development run may see.

A recipe that was chosen on some people and motions scores better on them than on others. So those of the final test are
locked: whatever renders faces refuses their seeds, unless it is given the constant of this file itself, which
``experiments/final_test.py`` alone does.
"""

from lfdtcmen.errors import DataError


class FinalTestSeed(int):
    """A seed of the final test; a plain number of the same value is refused (:func:`check_not_locked`)."""


# one for each final test: what has been looked at once is not new to whoever changes a recipe afterwards
SEEDS = tuple(FinalTestSeed(number) for number in (280_180_001, 280_180_002, 280_180_003))


def check_not_locked(seed: int) -> None:
    """Raise a DataError for a seed of the final test that is not a :class:`FinalTestSeed`.

    Raises
    ------
    DataError
        The people and motions of this seed are kept for the final test.
    """
    if seed in SEEDS and not isinstance(seed, FinalTestSeed):
        raise DataError(
            f"seed {seed} is locked: its people and motions are kept for the final test, and whatever has been chosen "
            "with them cannot be tested on them any more",
            "synthetic faces",
            "use another seed; experiments/final_test.py runs the test",
        )
