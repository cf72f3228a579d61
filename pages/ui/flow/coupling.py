"""When does the coupling matter? A study of small flows on the run's own features, kept with the run."""

from typing import Any

import streamlit as st

from pages.ui import answers
from pages.ui.downloads import offer_still
from pages.ui.errors import plain, show_error
from pages.ui.flow import flow_cache
from pages.ui.words import glossed
from wtflow.errors import WTFlowError
from wtflow.export.coupling import effects_csv, flows_csv, strengths_csv
from wtflow.numbers import duration
from wtflow.plots import theme
from wtflow.plots.coupling import By, plot_effects, plot_fields, plot_strength
from wtflow.records.coupling import CouplingFigures, CouplingStudy
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.coupling.clock import expected_seconds
from wtflow.studies.coupling.effects import figures_of
from wtflow.studies.coupling.words import differs_from_run, findings, left_out, own_sentence
from wtflow.studies.requests import FULL_COUPLING, QUICK_COUPLING, CouplingRequest

FORMS = {"quick": "Quick form", "full": "Full form"}
REQUESTS: dict[str, CouplingRequest] = {"quick": QUICK_COUPLING, "full": FULL_COUPLING}
INTRODUCTION = (
    "Small flows are trained on this run's own features under the independent, the worst and the optimal coupling, on"
    " their leading components alone or on all of them, with noise paired in small or large groups, with three seeds"
    " each. Everything but the coupling is the same. So what differs is what the coupling does."
)
FORM_WORDS = {
    "quick": "The quick form varies the dimension at the run's own group size, and the group size with all components."
    " It leaves out the other pairs of both, and scores some 160,000 positions of the test images at most.",
    "full": "The full form trains every pair of dimension and group size, with flows twice as wide and three times as"
    " many steps, on three times as many positions.",
}
EFFECT_WORDS = (
    "Above, each coupling with four Euler steps: filled is worst, a cross independent, open optimal; dotted is the norm"
    " before the flow. Below, what the worst and the optimal coupling change against independent pairs, with four steps"
    " and with one. Bars are 95\N{NBSP}% intervals over test images and seeds: one that crosses the line at 0 tells of"
    " no change, and of 20 about one misses 0 by chance. Pale: no better than chance there, and bars may"
    " run out of the picture."
)
STRENGTH_WORDS = (
    "γ says how strongly the worst coupling opposes data and noise: 0 for independent pairs, 1 for exact opposites. It"
    " is minus their correlation over the pairs that training draws. Dotted: Gaussian data of the same dimension. The"
    " more dimensions, the less a choice among few partners can do."
)
FIELD_WORDS = (
    "Each mark is one flow. Dotted are closed forms: a perfect field turns −x by exactly γ along x, whatever the data"
    " are, and lies at least so far from −x; a well 1 + γ times as deep, and the bend of paths, are those of Gaussian"
    " data. What lies off the lines was not learned, or is not Gaussian."
)


def show_coupling(store: RunStore, results: RunResults) -> None:
    """The form, then the study or its progress."""
    st.caption(glossed(INTRODUCTION))
    form = st.segmented_control(
        "Form", list(FORMS), default="quick", format_func=FORMS.__getitem__, key="coupling_form", required=True
    )
    request = REQUESTS[form or "quick"]
    st.caption(FORM_WORDS[form or "quick"])
    try:
        expected = f"about {duration(expected_seconds(store, results, request))}"
    except WTFlowError as error:
        show_error(error)
        return
    study = answers.read_task(store, results.run_id, request, "Train small flows under each coupling", expected)
    if study is None:
        st.caption("What is done when you stop is kept: a later start goes on from there.")
        return
    figures = _figures(flow_cache.answer_key(store, results.run_id, request), study)
    with st.container(border=True, key="card-coupling"):
        st.markdown(f"**{plain(own_sentence(study))}**")
        st.caption(plain(differs_from_run(study, results.settings)))
    show_figures(study, figures)
    st.markdown("**What else these numbers say**")
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in findings(study)))
    st.caption(plain(left_out(study)))
    st.caption(f"Computed in {duration(study.seconds)}.")


def show_figures(study: CouplingStudy, figures: CouplingFigures) -> None:
    """Every figure with its words and its files."""
    _show_effects(figures, "dimension", "What a coupling changes, by dimension")
    _show_effects(figures, "group_size", "What a coupling changes, by group size")
    st.subheader("How strong the worst coupling is", anchor=False)
    st.plotly_chart(
        plot_strength(figures), key="coupling_strength", config=theme.CONFIG, alt="γ against dimension by group size"
    )
    st.caption(STRENGTH_WORDS)
    csv = lambda: strengths_csv(study)  # noqa: E731
    offer_still("coupling-strength", "still_coupling_strength", figures, csv=csv, with_pdf=True)
    st.subheader("What it does to the field", anchor=False)
    st.plotly_chart(
        plot_fields(figures), key="coupling_fields", config=theme.CONFIG, alt="Fields of all flows against closed forms"
    )
    st.caption(glossed(FIELD_WORDS))
    offer_still("coupling-fields", "still_coupling_fields", figures, csv=lambda: flows_csv(study), with_pdf=True)


def _show_effects(figures: CouplingFigures, by: By, title: str) -> None:
    st.subheader(title, anchor=False)
    alt = "Change of image AUROC and AUPRO against independent pairs, with intervals"
    st.plotly_chart(plot_effects(figures, by), key=f"coupling_{by}", config=theme.CONFIG, alt=alt)
    st.caption(
        EFFECT_WORDS if by == "dimension" else "The same with all components, by the number of pairs in a group."
    )
    if figures.effects:
        name = f"coupling-by-{by.partition('_')[0]}"
        csv = lambda: effects_csv(figures)  # noqa: E731
        offer_still(name, "still_coupling_effects", figures, by, csv=csv, with_pdf=True)


@st.cache_resource(max_entries=8, show_spinner=False)
def _figures(key: tuple[Any, ...], _study: CouplingStudy) -> CouplingFigures:
    return figures_of(_study)
