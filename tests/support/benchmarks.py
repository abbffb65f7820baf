"""Benchmarks as modules: they are scripts beside the package."""

import importlib.util
import sys
from types import ModuleType

from tests.support.places import ROOT


def script(name: str) -> ModuleType:
    """A benchmark as a module, loaded once; one may import another, as when it is run."""
    path = ROOT / "benchmarks" / f"{name}.py"
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module
