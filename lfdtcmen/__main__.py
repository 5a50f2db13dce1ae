"""The entry point of ``lfdtcmen``, and of ``python -m lfdtcmen`` where that script is not on the path."""

from lfdtcmen.signals import ended_by_signals


def main() -> None:
    """Start the command line; from its first import on, Ctrl-C ends it silently."""
    with ended_by_signals():
        from lfdtcmen.cli import main as start

        start()


if __name__ == "__main__":
    main()
