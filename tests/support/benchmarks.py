"""Benchmarks as modules: they are scripts beside the package."""

import importlib.util
import sys
from types import ModuleType

from tests.support.places import ROOT


def script(name: str) -> ModuleType:
    """A benchmark as a module; one may import another, as when it is run."""
    if str(ROOT / "benchmarks") not in sys.path:
        sys.path.append(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module
