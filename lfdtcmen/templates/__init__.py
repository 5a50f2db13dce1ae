"""The pages that the package writes, as Jinja templates: ``report.html``, ``model_card.md`` and ``index.html``."""

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape


def render(template: str, **values: object) -> str:
    """Return a template's text with its values filled in.

    Parameters
    ----------
    template : str
        File name in this folder. In an ``.html`` file the values are escaped.
    **values
        What the template names.

    Raises
    ------
    jinja2.UndefinedError
        The template names a value that is not given: a page has no blank.
    """
    return _environment().get_template(template).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
