"""How tests load a script, which is no module of a package."""

import importlib.util
from pathlib import Path
from types import ModuleType

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"


def load_script(path: Path) -> ModuleType:
    """Return a script as a module, loaded anew; its folder has to be on the path where it imports its neighbours."""
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script
