"""What `trajectories` and `wells` share: the panel of plain words, how many positions there are, what the field
reports, expected times.
"""

import math

import streamlit as st

from pages.ui import state
from pages.ui.errors import plain
from pages.ui.flow.field import field_state
from pages.ui.words import glossed
from wtflow.numbers import count, flow_time
from wtflow.numbers import score as format_score
from wtflow.plots.groups import group_words
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.duration import steps_seconds, umap_of_travel_seconds
from wtflow.studies.requests import StepsRequest, TravelRequest, UmapRequest
from wtflow.studies.umap_clock import is_compiled
from wtflow.studies.well import describe_well, shell


def show_words(travel: Travel, steps: str | None = None) -> None:
    """What the numbers of this run show, a sentence a line; steps: one more, on what their number does."""
    is_single = len(travel.positions) == 1
    sentences = [*(describe_one(travel) if is_single else describe_well(travel)), *([steps] if steps else ())]
    st.markdown("**This position**" if is_single else "**What to look for in this run**")
    st.markdown(glossed("\n".join(f"- {plain(sentence)}" for sentence in sentences)))


def describe_one(travel: Travel) -> tuple[str, ...]:
    """The way of a single position in a sentence."""
    norm = travel.norm[:, 0].tolist()
    deepest = min(range(len(norm)), key=norm.__getitem__)
    way = f"{format_score(norm[0])} at t = 0, {format_score(norm[-1])} at t = 1"
    if deepest not in (0, len(norm) - 1):
        way += f", and least at {flow_time(float(travel.t[deepest]))}: {format_score(norm[deepest])}"
    return (f"Its distance from the origin is {way}. Noise lies near {format_score(shell(travel.n_channels)[0])}.",)


def steps_in_words(results: RunResults, travel: Travel) -> str | None:
    """Why a radius differs from what the map says of a pixel: other steps than the run's own. None where they are the
    same, or where the map is not read from the endpoint.
    """
    settings, steps = results.settings, len(travel.t) - 1
    if settings.score != "endpoint" or settings.steps == steps:
        return None
    why = f"The run's map is scored with {count(settings.steps, 'step')}, these paths take {count(steps, 'step')}"
    if len(travel.positions) > 1:
        return f"{why}: a position ends at another distance here than its pixel in the map says."
    here, there = float(travel.norm[-1, 0]), math.sqrt(max(2 * travel.n_channels * float(travel.positions.score[0]), 0))
    return (
        f"{why}: this position ends {format_score(here)} from the origin here, and by the map about"
        f" {format_score(there)}."
    )


def count_in_words(travel: Travel, request: TravelRequest) -> str:
    """How many positions there are and, where fewer than requested, why."""
    group = travel.positions.group.tolist()
    if request.at is not None:
        return f"One position: {group_words(group[0])}"
    if len(group) >= request.n:
        return f"All {len(group):,} positions" if len(group) > 1 else "One position"
    n_inside = sum(name not in (GOOD, UNMARKED) for name in group)
    few = ["images"] if request.how != "defect" and len(group) - n_inside < request.n - request.n // 2 else []
    few += ["masks"] if request.how == "defect" or (request.how == "balanced" and 0 < n_inside < request.n // 2) else []
    return f"{len(group):,} of {request.n:,} positions: the {' and '.join(few or ['images'])} have no more"


# -- the field and the address -----------------------------------------------------------------------------------------


def wanted_view(key: str, data: dict) -> str | None:
    """The view that was chosen, if the field has it. Until then its first view stands in, which nobody chose."""
    wanted, offered = state.get("view"), [view["key"] for view in data["views"]]
    st.session_state[f"{key}_stand_in"] = None if wanted is None or wanted in offered else offered[0]
    return wanted if wanted in offered else None


def take_choice(key: str, names: tuple[str, ...] = state.VIEW) -> None:
    """View, colour and time, or the named of them, go into the address once a person has chosen them. A view that
    merely stands in for one that this field does not have was not chosen.
    """
    stand_in = st.session_state.get(f"{key}_stand_in")
    for name, value in field_state(key).choice.items():
        if name in names and value is not None and not (name == "view" and value == stand_in):
            state.put(name, state.to_text(value))


# -- how long it takes -------------------------------------------------------------------------------------------------


def expected_steps(results: RunResults, request: StepsRequest) -> str:
    seconds = steps_seconds(results, request)
    if seconds is None:
        return "one to five minutes on two cores"
    return f"{roughly(seconds)} at the pace at which this run scored its own images"


def expected_umap(store: RunStore, request: UmapRequest, n_positions: int, n_channels: int) -> str:
    seconds = umap_of_travel_seconds(store, request, n_positions, n_channels)
    first = "" if is_compiled() else "; most of it is compiling, which happens once on this computer"
    return f"{roughly(seconds)} on this computer as busy as it is now{first}"


def roughly(seconds: float) -> str:
    """A span for a promise: no more digits than it deserves."""
    if seconds < 57.5:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    if seconds < 3570:
        minutes = round(seconds / 30) / 2 if seconds < 570 else round(seconds / 60)
        return f"about {minutes:g} min"
    return f"about {seconds / 3600:.1f} h"
