"""The form of a run's settings. Names, limits, choices and help come from `wtflow.config`;
only labels and order are here.
"""

from typing import Any

import streamlit as st

from pages.ui.train import size_field
from pages.ui.train.fields import (
    ADVANCED,
    BACKBONES,
    CHOICES,
    LABELS,
    LISTS,
    MAIN,
    PRESET_HELP,
    TILES,
    WEIGHTS,
)
from wtflow.config import (
    PRESETS,
    Settings,
    choices,
    describe,
    limits,
    parse_pairs,
    parse_value,
    settings_from,
)
from wtflow.datasets.allowed import check_typed
from wtflow.jobs.sizes import with_some_size
from wtflow.store.runs import RunStore

MOST_NAMED = 3
"""Changed settings that the line of the folded form names."""
FIELD_PX = 230
"""Least width of a field; four stand side by side in a wide window."""
_WEIGHTS_PATH = "set_weights_path"


def pick_preset() -> Settings:
    """Draw the choice of the preset and return its settings."""
    st.segmented_control(
        "Preset",
        list(PRESETS),
        required=True,
        format_func=str.capitalize,
        key=_key("preset"),
        on_change=_apply_preset,
        persist_state="session",
        default=None if _key("preset") in st.session_state else "fast",
        help="  \n".join(f"{name.capitalize()}: {text}" for name, text in PRESET_HELP.items()),
    )
    return settings_from(st.session_state[_key("preset")])


def show_settings(base: Settings) -> Settings:
    """Draw the form of all settings but the preset and the image size, folded, and return them, at some size that they
    go with. Its line counts those that differ from the preset. Raises SettingsError when the values do not fit
    together.
    """
    changed = _changed(base)
    with st.expander(_changed_words(changed), icon=":material/tune:", key="settings"):
        if changed:
            st.button(f"Back to preset {base.preset}", icon=":material/undo:", on_click=_apply_preset)
        values = _show_fields(base)
    return with_some_size(base.preset, {name: value for name, value in values.items() if value != getattr(base, name)})


def _changed(base: Settings) -> list[str]:
    """Settings whose fields hold something else than the preset, in the order of the form."""
    order = [*(name for name in MAIN if name != "length"), *(name for names in ADVANCED.values() for name in names)]
    held = {name: st.session_state.get(_key(name), _as_widget(name, getattr(base, name))) for name in order}
    return [name for name, value in held.items() if _bare(value) != _bare(_as_widget(name, getattr(base, name)))]


def _bare(value: Any) -> Any:
    """Text without the spaces that make no difference in a list."""
    return value.replace(" ", "") if isinstance(value, str) else value


def _changed_words(changed: list[str]) -> str:
    labels = [label_of(name) for name in changed]
    if not labels:
        return "**Settings:** as the preset has them"
    more = len(labels) - MOST_NAMED
    names = ", ".join(labels[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"**Settings: {len(labels)} changed** ({names})"


def label_of(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def offer_tiles(tile: str | None) -> None:
    """A button that puts this value into the field of tiles; none for None."""
    if tile is not None:
        size = "their shorter side" if tile == "side" else f"{tile} px"
        st.button(
            f"Cut images into squares of {size}",
            icon=":material/grid_view:",
            key="use_tiles",
            on_click=st.session_state.__setitem__,
            args=(_key("tile"), tile),
        )


def _show_fields(base: Settings) -> dict[str, Any]:
    """All settings but the preset and the image size, as the fields hold them."""
    values: dict[str, Any] = {}
    with st.grid(min_column_width=FIELD_PX):
        for name in MAIN:
            field = name if name != "length" else "epochs" if base.epochs else "iterations"
            with st.container():
                values[field] = _show_field(field, base)
    drawn = set(values)
    for title, names in ADVANCED.items():
        st.markdown(f"**{title}, in detail**")
        with st.grid(min_column_width=FIELD_PX):
            for name in (name for name in names if name not in drawn):
                values[name] = _show_field(name, base)
    return values


def _show_field(name: str, base: Settings) -> Any:
    """One field, by the type of its setting; the preset's value is where it starts."""
    key, start, label = _key(name), getattr(base, name), label_of(name)
    common: dict[str, Any] = {"key": key, "help": describe(name), "persist_state": "session"}
    st.session_state.setdefault(key, _as_widget(name, start))
    if name == "weights":
        return _show_weights(label, common)
    if name == "backbone":
        return st.selectbox(label, _with(BACKBONES, st.session_state[key]), accept_new_options=True, **common)
    if name == "tile":
        return st.selectbox(
            label,
            _with(tuple(TILES), st.session_state[key]),
            format_func=lambda value: TILES.get(value, value),
            accept_new_options=True,
            **common,
        )
    if name in CHOICES:
        return st.selectbox(label, choices(name), **common)
    if name in LISTS:
        return st.text_input(label, placeholder="none" if name == "smaller_sizes" else None, **common)
    if name == "backbone_args":
        pairs = [
            pair
            for pair in st.text_input(label, placeholder="pad_type=same", **common).replace(",", " ").split()
            if pair
        ]
        return {name: parse_value(value) for name, value in parse_pairs(pairs, option="Backbone arguments").items()}
    if isinstance(start, bool):
        return st.toggle(label, **common)
    low, high = (None if limit is None else type(start)(limit) for limit in limits(name))
    step = 1 if isinstance(start, int) else None
    return st.number_input(label, low, high, step=step, format=None if isinstance(start, int) else "%g", **common)


def _show_weights(label: str, common: dict[str, Any]) -> str:
    kind = st.selectbox(label, list(WEIGHTS), format_func=WEIGHTS.__getitem__, **common)
    if kind != "file":
        return kind
    path = st.text_input(
        "Weights file", key=_WEIGHTS_PATH, persist_state="session", placeholder="Path of a .safetensors or .pth file"
    )
    if path.strip():
        check_typed(path.strip(), RunStore().home)
    return path.strip() or "file"


def _apply_preset() -> None:
    """All fields back to the values of the chosen preset."""
    base = settings_from(st.session_state[_key("preset")])
    for name in Settings.model_fields:
        if name not in ("preset", "image_size") and _key(name) in st.session_state:
            st.session_state[_key(name)] = _as_widget(name, getattr(base, name))
    st.session_state[size_field.KEY] = size_field.start_of(base)


def _as_widget(name: str, value: Any) -> Any:
    if name == "tile":
        return str(value)
    if name in LISTS:
        return ",".join(map(str, value))
    if name == "backbone_args":
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return value


def _with(options: tuple[str, ...], value: str) -> list[str]:
    return list(options) if value in options else [value, *options]


def _key(name: str) -> str:
    return f"set_{name}"
