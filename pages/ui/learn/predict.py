"""Predict, then look: a lesson's questions below its text, assets/learn/predict/*.js. Answers stay in the browser."""

from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

from wtflow.lessons.predictions import CLASS_CODE, encode_predictions
from wtflow.lessons.scripts import prediction_scripts
from wtflow.lessons.texts import FOLDER

_mount = component(
    "wtflow_predictions",
    js="\n".join([*prediction_scripts(), "export default mountPredictions;"]),
    css=(FOLDER / "predict" / "predict.css").read_text(encoding="utf-8"),
)


def show_predictions(lesson: str, code: str, on_look: Callable[[dict[str, float]], None]) -> None:
    """Mount the questions. code: of a class, "" for none; on_look: told the settings that show an answer."""
    key = f"predictions_{lesson}"

    def look() -> None:
        found = (st.session_state.get(key) or {}).get("look")
        if isinstance(found, dict):
            on_look({str(name): float(value) for name, value in found.items()})

    _mount(key=key, data=encode_predictions(lesson, code), on_look_change=look)


def class_of(text: str | None) -> str:
    """The code of the class that an address names; "" where it names none, or nothing that could be one."""
    return text if text and CLASS_CODE.fullmatch(text) else ""
