"""The one lock of a store: processes that start, queue, end or delete runs take turns."""

import contextlib
from collections.abc import Generator

from filelock import FileLock, Timeout

from wtflow.errors import RunBusyError
from wtflow.store.files import explained
from wtflow.store.runs import RunStore

PATIENCE_S = 30.0


@contextlib.contextmanager
def locked(store: RunStore) -> Generator[None, None, None]:
    """Hold the store's lock. Raises RunBusyError when another program keeps it for PATIENCE_S."""
    with explained(store.home):
        store.home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(store.home / ".lock")
        try:
            lock.acquire(timeout=PATIENCE_S)
        except Timeout as error:
            raise RunBusyError(
                f"Another program has kept {store.home} locked for {PATIENCE_S:.0f} s.", fix="End it, then try again."
            ) from error
    try:
        yield
    finally:
        lock.release()
