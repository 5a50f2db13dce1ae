"""Make the pictures of the README again: python docs/make_pictures.py"""

from pathlib import Path

from lfdtcmen.datasets.synthetic import action_unit_field, draw_face
from lfdtcmen.viz import diagrams, overview

HERE = Path(__file__).parent
SUBJECT = 13
UNITS = {1: 3, 2: 5, 5: 4, 25: 3, 26: 7}  # a surprise, stronger than any micro-expression, to be seen small


def main() -> None:
    """Write overview.svg, for a light and a dark page, and method.svg."""
    picture = overview(draw_face(SUBJECT), draw_face(SUBJECT, UNITS), action_unit_field(UNITS, SUBJECT), "surprise")
    for name, dark in (("overview.svg", False), ("overview-dark.svg", True)):
        (HERE / name).write_text(picture.svg(dark), encoding="utf-8")
    diagrams.framework().save(HERE / "method.svg")


if __name__ == "__main__":
    main()
