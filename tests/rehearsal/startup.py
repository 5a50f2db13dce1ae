"""What a kernel, or the command line, runs first where a GPU is rehearsed: ``python startup.py lfdtcmen ...``."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.rehearsal.stand_in import install

install()

if __name__ == "__main__" and len(sys.argv) > 1:
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
