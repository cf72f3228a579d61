"""A finished run of a tiny category on disk with scores chosen by hand (no torch), and the words of a page."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from hand_made_runs import plain_metrics, record_images
from run_folders import tiny_settings
from streamlit.testing.v1 import AppTest
from waiting import PATIENCE_S

from wtflow.datasets.scan import scan_category
from wtflow.records.core import RunStatus
from wtflow.store.layout import SCORE_COLUMNS
from wtflow.store.runs import RunStore

PAGES = Path(__file__).parents[2] / "pages"
TEST_SCORES = {"test/good": (1.0, 3.0), "test/spot": (2.0, 4.0, 5.0)}
"""Two good and three defective images: at a threshold of 1.75 the outcomes are 3 TP, 1 FP, 1 TN, 0 FN."""

OpenPage = Callable[..., AppTest]


def write_run(store: RunStore, root: Path, **settings) -> str:
    run_id = store.create(root, "plate", tiny_settings(**settings))
    rows = []
    for folder, scores in TEST_SCORES.items():
        samples = [s for s in scan_category(root, "plate").of("test") if s.id.startswith(folder)]
        for sample, score in zip(samples, scores, strict=True):
            rows.append(
                (
                    len(rows),
                    sample.id,
                    str(sample.path),
                    str(sample.mask_path or ""),
                    "test",
                    sample.defect,
                    sample.is_defective,
                    score,
                    1,
                    2,
                    score / 10,
                    np.nan,
                )
            )
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    store.write_scores(run_id, table)
    store.write_maps(run_id, np.linspace(0.5, 4, 80, dtype=np.float32).reshape(5, 4, 4))
    store.write_metrics(run_id, plain_metrics())
    store.write_status(
        run_id, RunStatus(state="finished", stage="metrics", percent=100.0, heartbeat=1.0, message="Finished in 1 s.")
    )
    record_images(store, run_id)
    return run_id


def open_with_size(root: Path, size: str, held: Mapping[str, str] | None = None) -> AppTest:
    """The page *train*, with this typed as the image size: AppTest cannot type what a list does not offer.

    held: setting -> what its field holds, too.
    """
    page = AppTest.from_file(PAGES / "train.py", default_timeout=PATIENCE_S)
    page.query_params["root"] = str(root)
    for name, text in ({"image_size": size} | dict(held or {})).items():
        page.session_state[f"set_{name}"] = text
    return page.run()


def texts(page: AppTest) -> str:
    """Everything a page says in words, for asserting that it says something."""
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.error, page.warning, page.info, page.metric)
    said = "\n".join(f"{getattr(item, 'label', '')} {item.value}" for kind in kinds for item in kind)
    return re.sub(r"\[([^\]]*)\]\(#word-\w+\)", r"\1", said)  # a word that opens its entry reads as before


def components(page: AppTest) -> list:
    """The parts of a page that are drawn in the browser, without those of every page, which keep its place and
    open its words.
    """
    return [one for one in page.get("bidi_component") if one.key not in ("page_scroll", "words")]
