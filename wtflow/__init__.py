"""WT-Flow Studio: image anomaly detection by time-reversed flow matching with worst transport.

Time runs from data (t=0) to standard Gaussian noise (t=1) everywhere in this package.
Importing `wtflow` imports neither torch nor timm; the modules that compute do.

Source: [WTF] arXiv 2508.05461.
"""

__version__ = "0.3.0"
