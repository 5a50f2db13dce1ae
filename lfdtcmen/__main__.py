"""``python -m lfdtcmen``: the command line, also where the ``lfdtcmen`` script is not on the path."""

from lfdtcmen.cli import main

main()
