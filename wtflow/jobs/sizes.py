"""Choose the image size of a training where nobody gives one: from its normals, and the time that it takes here."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wtflow.config import Settings, settings_from
from wtflow.datasets.sizes.choose import LONGEST_S, choose_size, sizes_of
from wtflow.datasets.sizes.look import NormalsSeen, look_at_normals
from wtflow.datasets.tiles import quick_canvas
from wtflow.errors import DatasetError, SettingsError
from wtflow.features.fitting import fitted, fitting_size
from wtflow.features.stages import layout
from wtflow.jobs.estimate import MeasuredRun, estimate_from, measured_runs
from wtflow.records.core import Category
from wtflow.records.shapes import Shape
from wtflow.records.sizes import SizeChoice
from wtflow.store.runs import RunStore

AUTO = "auto"
"""In place of a number of pixels: the size is chosen."""
TOGETHER_FROM = 384
"""From this size on, images are seen at half of it as well. On one seed, two of three categories lose at 512 px alone
(up to .011 of image AUROC against 256 px) and gain with 256 px together; the third loses .013 of what 512 px gained.
"""


def is_auto_default(preset: str) -> bool:
    """Whether a training of this preset chooses its size where nobody gives one. The others have theirs."""
    return preset == "fast"


def with_some_size(preset: str, changes: dict[str, Any]) -> Settings:
    """The settings of a preset with some changed, but for their size: at the preset's own or, where the others do not
    go with that, at the first that they do go with. Raises SettingsError.
    """
    try:
        return settings_from(preset, changes)
    except SettingsError:
        for size in sizes_of(offered=True):
            with contextlib.suppress(SettingsError):
                return settings_from(preset, changes | {"image_size": size})
        raise


def open_sizes(settings: Settings, *, offered: bool = False) -> tuple[int, ...]:
    """The sizes that may be chosen with these settings, see `sizes_of`: those that the backbone takes and that the
    other settings go with, such as multiples of `smaller_sizes`; else their own. Raises BackboneError.
    """
    found = []
    for size in sizes_of(lambda px: fitting_size(settings, px), offered=offered):
        with contextlib.suppress(SettingsError):
            found.append(settings.changed({"image_size": size}).image_size)
    return tuple(found) or (settings.image_size,)


def at_chosen_size(settings: Settings, size_px: int) -> Settings:
    """The settings at a size that was chosen for them, and at half of it as well where that is large enough, the
    network takes several sizes, and the settings neither name smaller ones nor have tiles. Raises BackboneError.
    """
    chosen = settings.changed({"image_size": size_px})
    is_open = not settings.smaller_sizes and settings.tile == "off"
    if size_px < TOGETHER_FROM or not is_open or not layout(settings).is_dynamic:
        return chosen
    with contextlib.suppress(SettingsError):  # an odd size has no half
        return chosen.changed({"smaller_sizes": size_px // 2})
    return chosen


def look(category: Category, settings: Settings, progress: Callable[[int, int], None] | None = None) -> NormalsSeen:
    """Look at a category's training normals, as these settings take them. See `look_at_normals`. Raises
    BackboneError.
    """
    paths = [sample.path for sample in category.of("train")]
    return look_at_normals(paths, settings, open_sizes(settings), progress)


def size_for(
    store: RunStore,
    category: Category,
    settings: Settings,
    seen: NormalsSeen,
    shape: Shape | None,
    longest_s: float = LONGEST_S,
) -> SizeChoice:
    """The size for a training of this category. Of the test images only their number counts: they take time, too.

    shape: (height, width) of most images, for tiles. Raises DatasetError where the tiles of these settings fit at no
    size, and BackboneError.
    """
    settings = fitted(settings).settings
    sizes = open_sizes(settings, offered=True)
    each = {size: at_chosen_size(settings, size) for size in sizes}
    measured: dict[int, MeasuredRun] = {}
    for n in {len(one.sizes) for one in each.values()}:
        like = [size for size, one in each.items() if len(one.sizes) == n]
        measured |= measured_runs(store, each[like[0]], like)
    n_train, n_test = len(category.of("train")), len(category.of("test"))
    seconds: dict[int, float] = {}
    for size in sizes:
        try:
            canvas = quick_canvas(shape, each[size])
        except DatasetError:
            if not seconds:
                raise  # larger ones do not fit either
            break
        seconds[size] = estimate_from(measured.get(size), n_train, n_test, each[size], canvas).seconds
    found = choose_size(seen, seconds, open_sizes(settings)[-1], longest_s)
    smaller = () if settings.smaller_sizes else each[found.size_px].smaller_sizes
    return replace(found, smaller=smaller)
