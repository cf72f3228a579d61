"""The metrics of a run as cards, each with what it means, what no flow would reach, and why it may be absent."""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain
from wtflow.results import RunResults

# Metric -> title, what it means, key of the same metric read before the flow.
CARDS = {
    "image_auroc": ("Image AUROC", "How often a defective image scores above a normal one. 0.5 is guessing.", "image_auroc_start"),
    "image_ap": ("Image AP", "Precision of the calls, averaged over all recalls.", None),
    "image_f1_max": ("Best F1", "Best balance of precision and recall; its threshold is chosen on the test images.", None),
    "pixel_auroc": ("Pixel AUROC", "The same as image AUROC for single pixels. Large sound areas flatter it.", None),
    "pixel_ap": ("Pixel AP", "Precision of the pixels, averaged over all recalls. Hard on small defects.", None),
    "aupro": ("AUPRO", "How well each defect is covered, up to 30 % false pixels. Small defects count like large ones.", "aupro_start"),
}


def show_metrics(results: RunResults) -> None:
    metrics, undefined = results.metrics["metrics"], results.metrics.get("undefined", {})
    test = results.test
    n_defective = int(test.is_defective.sum())
    settings = results.settings
    st.caption(
        f"On {widgets.count(len(test), 'test image')}: {len(test) - n_defective} normal, {n_defective} defective. "
        f"{plain(results.source_label)}, {settings.image_size} px, {settings.coupling} coupling, "
        f"{widgets.count(settings.steps, settings.solver + ' step')}, score {settings.score}."
    )
    with st.grid(min_column_width=190, key="metrics"):
        for name, (title, meaning, floor) in CARDS.items():
            with st.container(border=True, height="stretch"):
                st.metric(title, widgets.metric(metrics.get(name)))
                if metrics.get(name) is None:
                    st.caption(f"Not defined: {plain(undefined.get(name, 'this run did not compute it.'))}")
                    continue
                st.caption(meaning)
                if floor and metrics.get(floor) is not None:
                    st.caption(f"**Without the flow: {widgets.metric(metrics[floor])}** (norm of the features)")
