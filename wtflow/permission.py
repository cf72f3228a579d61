"""What the person at work may do. Who may look sees results; who may train does everything.

The shell and workers may do everything: whoever runs them may write here anyway. The app asks for each visitor
(`pages/ui/access/visitor.py`), and what writes, starts processes, reads folders of the server or deletes asks here.
"""

import contextlib
import functools
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Final, Literal, ParamSpec, TypeVar

from wtflow.errors import NotAllowedError

Role = Literal["look", "train"]
LOOK: Final = "look"
TRAIN: Final = "train"
ROLES: Final[tuple[Role, ...]] = (LOOK, TRAIN)

Given = ParamSpec("Given")
Found = TypeVar("Found")

_IN_PASSING: ContextVar[bool] = ContextVar("what_is_written_can_be_made_again", default=False)


def _everything() -> Role:
    return TRAIN


_ask: Callable[[], Role] = _everything


def ask_with(ask: Callable[[], Role]) -> None:
    """Let this process find the role of the person at work by this function, which any thread may call."""
    global _ask
    _ask = ask


def role() -> Role:
    return _ask()


def may_train() -> bool:
    return _ask() == TRAIN


def need_train(what: str) -> None:
    """Raises NotAllowedError where the person at work may only look. what: in words, after "may not"."""
    if not (_IN_PASSING.get() or may_train()):
        raise NotAllowedError(
            f"You may look here, but not {what}.",
            fix="Sign in with the password of those who train, or ask one of them.",
        )


def changes(what: str) -> Callable[[Callable[Given, Found]], Callable[Given, Found]]:
    """For a function that only those who may train may call: it raises NotAllowedError for others. what: as in
    `need_train`.
    """

    def guard(function: Callable[Given, Found]) -> Callable[Given, Found]:
        @functools.wraps(function)
        def _guarded(*args: Given.args, **kwargs: Given.kwargs) -> Found:
            need_train(what)
            return function(*args, **kwargs)

        return _guarded

    return guard


@contextlib.contextmanager
def in_passing() -> Generator[None]:
    """Inside, who may look may write, too: what is kept only so that it need not be computed again, and can be."""
    token = _IN_PASSING.set(True)
    try:
        yield
    finally:
        _IN_PASSING.reset(token)
