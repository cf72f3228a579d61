"""A run as a row of the table: what stands in each cell, what it is sorted by, and by which words it is found."""

from collections.abc import Iterable
from typing import Any

from pages.ui import widgets
from wtflow import numbers
from wtflow.jobs.demos import demo_root
from wtflow.records.core import RunSummary
from wtflow.records.pixel_images import PixelImages
from wtflow.store.dataset_versions import title_of
from wtflow.store.runs import RunStore

COLUMNS = (
    {"key": "star", "label": "Star", "help": "Runs with a star"},
    {"key": "category", "label": "Category"},
    {"key": "name", "label": "Name and tags"},
    {
        "key": "auroc",
        "label": "AUROC",
        "help": "Image AUROC: how often a defective image scores above a normal one",
        "is_number": True,
    },
    {
        "key": "aupro",
        "label": "AUPRO",
        "help": "How well each defect is covered by the map, and of how many images",
        "is_number": True,
    },
    {"key": "seed", "label": "Seed", "is_number": True},
    {"key": "steps", "label": "Steps", "help": "Steps of the solver", "is_number": True},
    {"key": "seconds", "label": "Time", "help": "What making the run took, all stages together", "is_number": True},
    {"key": "created", "label": "Started", "is_number": True},
)
"""Columns that the table is sorted by, from left to right. A column of numbers begins with its highest."""


def rows_of(store: RunStore, summaries: Iterable[RunSummary]) -> list[dict[str, Any]]:
    demo = str(demo_root(store))
    return [row_of(summary, is_demo=summary.root == demo) for summary in summaries]


def row_of(summary: RunSummary, *, is_demo: bool) -> dict[str, Any]:
    """Plain values for the table. `values`: what each column is sorted by; `texts`: what it shows, where that is not
    the value itself.
    """
    is_sound = summary.status is not None and not summary.problem
    pixel_images = summary.pixel_images
    badges = list(_badges(summary, is_demo))
    values = {
        "star": summary.star,
        "category": title_of(summary.root, summary.category) if is_sound else summary.run_id,
        "name": summary.name,
        "auroc": summary.metrics.get("image_auroc"),
        "aupro": summary.metrics.get("aupro"),
        "seed": summary.seed,
        "steps": summary.steps,
        "seconds": summary.seconds,
        "created": summary.created or None,
    }
    return {
        "id": summary.run_id,
        "page": "results" if widgets.is_finished(summary) and not summary.problem else "train",
        "values": values,
        "texts": {
            "auroc": numbers.metric(values["auroc"]),
            "aupro": numbers.metric(values["aupro"]),
            "seed": "–" if summary.seed is None else str(summary.seed),
            "steps": "–" if summary.steps is None else str(summary.steps),
            "seconds": "–" if summary.seconds is None else numbers.duration(summary.seconds),
            "created": widgets.moment(summary.created) if is_sound else "",
        },
        "of": _of(pixel_images) if pixel_images and values["aupro"] is not None else "",
        "of_words": f"{pixel_images.words.capitalize()}." if pixel_images else "",
        "tags": list(summary.tags),
        "badges": badges,
        "detail": summary.label,
        "problem": summary.problem,
        "find": " ".join(
            (
                *(str(values[name]) for name in ("category", "name")),
                *summary.tags,
                *(badge["text"] for badge in badges),
                summary.label,
                summary.run_id,
                "starred" * summary.star,
                "archived" * summary.archived,
            )
        ).casefold(),
    }


def _of(found: PixelImages) -> str:
    """Of how many images a pixel metric is, in a few letters."""
    parts = [] if found.n is None else [f"of {found.n:,}"]  # None: a run of 0.3.0, which did not count them
    parts += [f"{found.n_left_out:,} left out"] * (found.n_left_out > 0)
    return ", ".join(parts)


def _badges(summary: RunSummary, is_demo: bool) -> Iterable[dict[str, str]]:
    """Words that set a run apart: its state unless it has finished, and where its scores and features come from."""
    if summary.problem or summary.status is None:
        yield {"text": "damaged", "kind": "bad"}
    elif summary.status.state in ("failed", "lost"):
        yield {"text": summary.status.state, "kind": "bad", "help": summary.status.message}
    elif summary.status.state != "finished":
        yield {"text": summary.status.state, "kind": "active" if summary.status.is_active else ""}
    elif summary.lack:
        yield {"text": "a file is missing", "kind": "bad", "help": summary.lack}
    if summary.archived:
        yield {"text": "archived", "kind": "", "help": "Left out of lists and pickers"}
    if is_demo:
        yield {"text": "demo", "kind": ""}
    if summary.is_rescored:
        yield {"text": "scored again", "kind": "", "help": "The training of another run, scored with other settings"}
    if summary.is_untrained:
        yield {"text": "untrained", "kind": "warn", "help": widgets.UNTRAINED_NOTE.replace("**", "")}
    elif summary.is_embedded:
        yield {"text": "embedded", "kind": "", "help": widgets.EMBEDDED_NOTE.replace("**", "")}
