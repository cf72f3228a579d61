"""Keep what never becomes garbage out of the search for it.

Streamlit searches the whole process after every run of a script and every poll of a fragment. Among the objects of
torch, pandas and Plotly that takes over a tenth of a second each time, although libraries stay until the end: a page
that only watched a training kept a fifth of a core busy with it, and 0.04 of a core without.
"""

import gc
import sys
from typing import Any

_n_modules = 0


def leave_libraries_out() -> None:
    """From now on, whenever modules were loaded since, what is left after a full search is left out of later ones.
    Calling it again changes nothing.
    """
    if _after_search not in gc.callbacks:
        gc.callbacks.append(_after_search)


def _after_search(phase: str, info: dict[str, Any]) -> None:
    """Objects in use by other sessions are left out, too:
    they go when nothing refers to them, only cycles among them stay.
    """
    global _n_modules  # noqa: PLW0603 - the callback belongs to the process
    if phase == "stop" and info["generation"] == 2 and len(sys.modules) > _n_modules:
        _n_modules = len(sys.modules)
        gc.freeze()
