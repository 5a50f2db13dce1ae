"""How a command ends that is told to: Ctrl-C, SIGTERM, or SIGHUP where its terminal was closed."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE = 0.5  # seconds in which a command can tidy up; then it ends in any case
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt within the block, SIGTERM and SIGHUP SystemExit, and end the process after it.

    The exit code is 128 + the signal's number. During an import, the process ends at once: torch's would abort it. Else
    it ends after half a second in any case, also where the main thread is busy in a library, or somebody has swallowed
    the exception; the interpreter's own tidying up takes too long. Signals that are ignored (nohup, jobs in the
    background) stay so. Workers end with their parent (:mod:`lfdtcmen.workers`).
    """
    received: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        received.append(number)
        while frame is not None:
            if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
                os._exit(128 + number)
            frame = frame.f_back
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    reader, writer = socket.socketpair()  # Windows has non-blocking pipes from Python 3.12 on only
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())  # is written to at once, whatever the main thread does
    try:  # from the first handler on: a signal may come while the thread starts
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, end)
        threading.Thread(target=_end_in_any_case, args=(reader,), daemon=True).start()
        yield
    finally:
        if received:
            sys.stdout.flush()
            os._exit(128 + received[0])


def _end_in_any_case(reader: socket.socket) -> None:
    while (number := reader.recv(1)[0]) not in ENDING:
        pass
    time.sleep(GRACE)
    os._exit(128 + number)
