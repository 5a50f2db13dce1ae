"""The one exception that a mistake of the user raises."""


class DataError(ValueError):
    """A mistake in what the user gave: what is wrong, where, and what to do.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence without a full stop.
    where : str, optional
        The file, row, argument or array in which it was found.
    fix : str, optional
        What the user can do about it.

    Examples
    --------
    >>> raise DataError("unknown preset 'medium'", fix="use easy, standard or hard")
    Traceback (most recent call last):
    ...
    lfdtcmen.errors.DataError: unknown preset 'medium'; use easy, standard or hard
    """

    def __init__(self, what: str, where: str | None = None, fix: str | None = None):
        message = what if where is None else f"{what} [{where}]"
        super().__init__(message if fix is None else f"{message}; {fix}")


def missing_extra(what: str, extra: str) -> DataError:
    """Return the error for something that needs packages of an extra of ``pyproject.toml``.

    Examples
    --------
    >>> raise missing_extra("--scheduler", "scale")
    Traceback (most recent call last):
    ...
    lfdtcmen.errors.DataError: --scheduler needs the extra "scale"; pip install 'lfdtcmen[scale]'
    """
    return DataError(f'{what} needs the extra "{extra}"', fix=f"pip install 'lfdtcmen[{extra}]'")
