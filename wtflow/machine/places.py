"""Where the files of the app lie that are no modules: in a checkout at its top, installed inside the package.

The table in `pyproject.toml`, `[tool.hatch.build.targets.wheel.sources]`, says where the build puts them.
"""

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_INSTALLED: Final = _PACKAGE / "_studio"

CHECKOUT: Final = None if _INSTALLED.is_dir() else _PACKAGE.parent
"""The top of the checkout that this package is run from; None for an installed one, which Python finds by itself."""

STUDIO: Final = _INSTALLED if CHECKOUT is None else CHECKOUT
"""The folder of `app.py`, with `pages/` and `.streamlit/config.toml` beside it. Streamlit reads that file from here,
whatever folder it is started in.
"""

ASSETS: Final = _PACKAGE / "_assets" if CHECKOUT is None else CHECKOUT / "assets"
"""Pictures, styles, scripts and texts of pages, and the embedded backbone's weights."""
