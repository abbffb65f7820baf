"""A process that is killed at a step, as far as the code around it can tell."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

__all__ = ["Died", "dies_at"]


class Died(BaseException):
    """Stands for the process being killed: nothing may catch it."""


@contextmanager
def dies_at(owner: type, name: str, *, late: bool) -> Iterator[None]:
    """What is done meanwhile dies at the first call of ``owner.name``.

    Args:
        owner: Whose method it is.
        name: Of the method.
        late: After it, and not before.
    """
    real, calls = getattr(owner, name), []

    def dying(*args, **kwargs):
        calls.append(name)
        if not late and len(calls) == 1:
            raise Died
        result = real(*args, **kwargs)
        if late and len(calls) == 1:
            raise Died
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, dying)
        with pytest.raises(Died):
            yield
