"""Below the paths: what the flow should learn and what it learned, few steps against many, and the way
there and back.
"""

import streamlit as st

from pages.ui import answers
from pages.ui.downloads import offer_still
from pages.ui.errors import plain, show_error
from pages.ui.flow import flow_cache, flow_words
from pages.ui.words import glossed
from wtflow.errors import WTFlowError
from wtflow.export.tables import ideal_csv, return_csv, steps_csv
from wtflow.plots import theme
from wtflow.plots.ideal import plot_ideal, plot_ideal_norms
from wtflow.plots.steps import plot_return, plot_steps
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.requests import StepsRequest

IDEAL_WORDS = (
    "The same training positions and the same noise, paired in three ways: every straight line is what one pair teaches"
    " the field. Where lines cross, the field can only be their mean, and following it gives the learned paths on the"
    " right. γ is the strength of the coupling: 0 for independent pairs, positive where data and noise point in"
    " opposite directions. In high dimension it is small even for the worst coupling."
)
STEPS_WORDS = (
    "The run's own test set scored with few and many solver steps, endpoint score throughout. The dotted line marks the"
    " run's own setting. Time is the flow's alone, on this computer now. Choosing the steps by looking at this figure"
    " would be choosing on the test set."
)
RETURN_WORDS = (
    "Positions are integrated from t = 0 to t = 1 and back to t = 0 with the same steps. On a smooth field the return"
    " error falls as steps grow; where the field squeezes many starts together, few steps cannot undo it: what fell"
    " into the well does not come back."
)


def show_ideal(store: RunStore, results: RunResults) -> None:
    """A training batch under each coupling next to the learned paths."""
    try:
        with st.spinner("Pairing 256 training positions three times"):
            ideal = flow_cache.ideal(store, results.run_id)
    except WTFlowError as error:
        show_error(error)
        return
    st.caption(glossed(IDEAL_WORDS))
    st.plotly_chart(
        plot_ideal(ideal),
        key="ideal",
        config=theme.CONFIG,
        alt="Straight lines under three couplings, and learned paths",
    )
    offer_still("ideal", "still_ideal", ideal, csv=lambda: ideal_csv(ideal))
    st.plotly_chart(
        plot_ideal_norms(ideal), key="ideal_norms", config=theme.CONFIG, alt="Median distance from the origin against t"
    )
    offer_still("ideal_norms", "still_ideal_norms", ideal)


def show_steps(store: RunStore, results: RunResults) -> None:
    """Quality, endpoint norms and time against the number of steps; and the return errors."""
    request = StepsRequest()
    st.caption(STEPS_WORDS)
    answer = answers.read_task(
        store,
        results.run_id,
        request,
        "Score the test set with 1 to 50 steps",
        flow_words.expected_steps(results, request),
    )
    if answer is None:
        return
    rows, trips = answer
    st.plotly_chart(
        plot_steps(rows),
        key="steps",
        config=theme.CONFIG,
        alt="AUROC, AUPRO, endpoint norms and time against evaluations",
    )
    st.dataframe(
        [
            {
                "solver": row.solver + (" (this run)" if row.is_default else ""),
                "steps": row.steps,
                "evaluations": row.evaluations,
                "image AUROC": row.metrics.get("image_auroc"),
                "pixel AUROC": row.metrics.get("pixel_auroc"),
                "AUPRO": row.metrics.get("aupro"),
                "ms per image": row.ms_per_image,
            }
            for row in rows
        ],
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f") for name in ("image AUROC", "pixel AUROC", "AUPRO")
        }
        | {"ms per image": st.column_config.NumberColumn(format="%.1f")},
    )
    st.caption(f":material/image: Pixel AUROC and AUPRO are {plain(results.pixel_images.words)}.")
    offer_still("steps", "still_steps", rows, csv=lambda: steps_csv(rows))
    st.subheader("There and back", anchor=False)
    st.caption(RETURN_WORDS)
    st.plotly_chart(plot_return(trips), key="return", config=theme.CONFIG, alt="Return error against steps each way")
    offer_still("return", "still_return", trips, csv=lambda: return_csv(trips))
