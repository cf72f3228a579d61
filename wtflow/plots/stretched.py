"""A picture as a layer of a figure whose axes count pixels of the image."""

import io

import plotly.graph_objects as go
from PIL import Image

from wtflow.plots.pictures import data_uri


def stretched(encoded: bytes, width: float, height: float) -> go.Image:
    """A picture (JPEG or PNG) stretched over x from 0 to `width` and y from 0 to `height`."""
    n_columns, n_rows = Image.open(io.BytesIO(encoded)).size
    dx, dy = width / n_columns, height / n_rows
    return go.Image(source=data_uri(encoded), x0=dx / 2, dx=dx, y0=dy / 2, dy=dy, zsmooth="fast", hoverinfo="skip")
