"""WT-Flow Studio: image anomaly detection by time-reversed flow matching with worst transport.

    from wtflow import load_detector

    detector = load_detector("screw.wtf")
    found = detector("part.png")    # or a Pillow image, an array, or an iterator of any of them
    found.score, found.verdict, found.map, found.reasons

Time runs from data (t=0) to standard Gaussian noise (t=1) everywhere in this package.
Importing `wtflow` imports neither torch nor timm; the modules that compute do.

Source: [Paper] arXiv 2508.05461.
"""

TYPE_CHECKING = False
"""As in `typing`, whose import would take longer than all else here."""
if TYPE_CHECKING:
    from wtflow.detector.public import Finding, LoadedDetector, load_detector

__version__ = "0.3.0"
__all__ = ["Finding", "LoadedDetector", "__version__", "load_detector"]


def __getattr__(name: str) -> object:
    """The public names, whose module imports torch, once somebody asks for them."""
    if name in __all__:
        from wtflow.detector import public

        return getattr(public, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
