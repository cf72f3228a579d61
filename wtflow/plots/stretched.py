"""A picture as a layer of a figure whose axes count pixels of the image, and how high such a figure is."""

import io

import plotly.graph_objects as go
from PIL import Image

from wtflow.plots.pictures import data_uri


def stretched(encoded: bytes, width: float, height: float) -> go.Image:
    """A picture (JPEG or PNG) stretched over x from 0 to `width` and y from 0 to `height`."""
    n_columns, n_rows = Image.open(io.BytesIO(encoded)).size
    dx, dy = width / n_columns, height / n_rows
    return go.Image(source=data_uri(encoded), x0=dx / 2, dx=dx, y0=dy / 2, dy=dy, zsmooth="fast", hoverinfo="skip")


def height_for(width: float, height: float, square_px: int) -> int:
    """Pixels of screen for pictures of this shape: `square_px` for squares, less for strips that lie, more for those
    that stand.
    """
    lying, standing = 1.4 * square_px * height / width, square_px * min(height / width, 2)
    return round(min(lying, max(square_px, standing)))
