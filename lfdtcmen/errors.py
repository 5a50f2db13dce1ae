"""The one exception that a mistake of the user raises."""

import errno

WRITE_ADVICE = "free some space, or point LFDTCMEN_CACHE (or the output folder) at a folder that you can write to"
# a disk that is full, one's share of it that is used up, a folder that one must not write to, or nobody can
CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)


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


def in_one_line(error: BaseException) -> str:
    """Return the text of an error, line breaks and runs of blanks as single blanks."""
    return " ".join(str(error).split())


def cannot_write(error: OSError, where: object = None) -> DataError | None:
    """Return the error for a file that a library could not write, or None for an :class:`OSError` of another kind.

    Examples
    --------
    >>> cannot_write(OSError(28, "No space left on device", "runs/x.csv"))
    DataError('cannot write (No space left on device) [runs/x.csv]; free some space, or ...')
    """
    if error.errno not in CANNOT_WRITE:
        return None
    place = error.filename or where
    return DataError(f"cannot write ({error.strerror})", None if place is None else f"{place}", WRITE_ADVICE)
