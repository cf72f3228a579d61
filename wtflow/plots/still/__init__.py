"""Still figures and movies for papers and talks. Records and NumPy arrays in, Matplotlib figure or bytes out;
no pyplot.

Matplotlib takes a moment to load, and most visits to a page save no figure. So the names below are loaded when they
are first used: `from wtflow.plots import still`, and `still.to_png(still.still_paths(travel, "plane"))` where the file
is needed.
"""

import importlib

_HOMES = {
    "still_paths": "paths",
    "still_over_time": "over_time",
    "still_escape": "over_time",
    "still_depth": "over_time",
    "still_radius": "radius",
    "still_points": "points",
    "still_landscape": "landscape",
    "still_steps": "solvers",
    "still_return": "solvers",
    "still_ideal": "ideal",
    "still_ideal_norms": "ideal",
    "still_story": "follow",
    "still_coupling_strength": "coupling",
    "still_coupling_effects": "coupling",
    "still_coupling_fields": "coupling",
    "movie": "moving",
    "story_movie": "follow",
    "to_png": "sheet",
    "to_svg": "sheet",
    "to_pdf": "sheet",
    "find_ffmpeg": "encode",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
