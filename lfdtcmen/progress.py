"""Whether a progress bar is shown."""

import os


def hidden(progress: bool) -> bool:
    """Return whether a bar is hidden: it is not asked for, or ``TQDM_DISABLE`` is set.

    tqdm itself looks at that variable only where nobody says ``disable``. ``make notebooks`` sets it: a bar in a stored
    output stays at 0 % for ever.
    """
    return not progress or os.environ.get("TQDM_DISABLE", "") not in ("", "0")
