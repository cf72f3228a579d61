"""Names that people and cameras give, full of Markdown: every page shows them letter by letter."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf.message import Message
from hand_made_inspections import write_inspection
from page_runs import OpenPage
from run_folders import TINY, train_here, write_tiny_category
from streamlit.testing.v1 import AppTest

from pages.ui.errors import plain
from pages.ui.frame import PAGES
from wtflow.datasets.scan import scan_category
from wtflow.records.core import RunStatus
from wtflow.records.sweep import Way
from wtflow.store import sweeps
from wtflow.store.inspection_words import name_inspection, note_image
from wtflow.store.layout import CONFIG, RUN_ID
from wtflow.store.notes import add_tag
from wtflow.store.runs import RunStore
from wtflow.sweeps.expand import Asked, plan_new

TOKEN = "*zq*"
"""In every name: asterisks of a name that is not escaped stand for emphasis."""
MARKUP = f"{TOKEN} `x` $y$ :red[x] [l](m) <b>b<b> _u_ ~~s~~ a--b"
NAMES = {"plate": f"- c {MARKUP}", "spot": f"1. d {MARKUP}", "root": f"# r {MARKUP}", "image": f"+ i {MARKUP}.png"}
TAG = f"t {TOKEN} :red[x]"
SMALL = {name: (str(value),) for name, value in TINY.items() if name not in ("stages", "threads", "prepare_pages")}

SHOWN_AS_IS = {
    ("Selectbox", "options"),
    ("MultiSelect", "options"),
    ("Selectbox", "raw_value"),
    ("MultiSelect", "raw_values"),
    ("TextInput", "value"),
    ("TextInput", "default"),
    ("TextArea", "default"),
    ("TextArea", "value"),
    ("Code", "code_text"),
    ("BidiComponent", "json"),
    ("PlotlyChart", "alt"),
    ("Image", "alt"),
    ("ImageList", "alt"),
}
"""Texts that Streamlit does not read as Markdown."""

NEVER_SHOWN = ("id", "key", "query_string", "form_id", "url", "href", "page", "page_script_hash", "spec")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny category with every name replaced, files with markup, too, and the folder of a run trained on it."""
    place = tmp_path_factory.mktemp("hostile")
    root = place / NAMES["root"]
    write_tiny_category(root, NAMES["plate"], n_good=2, n_bad=3)
    folder = root / NAMES["plate"]
    for part in ("test", "ground_truth"):
        (folder / part / "spot").rename(folder / part / NAMES["spot"])
    for part in ("train/good", "test/good", f"test/{NAMES['spot']}"):
        (folder / part / "000.png").rename(folder / part / NAMES["image"])
    mask = folder / "ground_truth" / NAMES["spot"] / "000_mask.png"
    mask.rename(mask.with_name(NAMES["image"].replace(".png", "_mask.png")))
    store = RunStore(place / "runs")
    run_id = train_here(store, root, NAMES["plate"])
    for sample in scan_category(root, NAMES["plate"]).of("test"):
        add_tag(store, run_id, sample.id, TAG)
    return root, store.folder(run_id)


@pytest.fixture
def root(trained: tuple[Path, Path]) -> Path:
    return trained[0]


@pytest.fixture
def run(store: RunStore, trained: tuple[Path, Path]) -> str:
    """The run, in a store of the test's own."""
    shutil.copytree(trained[1], store.home / trained[1].name)
    return trained[1].name


def texts_of(message: Message) -> Iterator[tuple[str, str, str]]:
    """(kind, field, text) of a message and of all within."""
    for field, value in message.ListFields():
        many = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
        for one in value if many and not hasattr(value, "items") else [value]:
            if isinstance(one, Message):
                yield from texts_of(one)
            elif isinstance(one, str):
                yield message.DESCRIPTOR.name, field.name, one


def shown(page: AppTest) -> list[tuple[str, str, str]]:
    """Every text of a page that carries a name. The id of a run holds no letter that could be misread."""
    assert not page.exception, page.exception
    found = []
    for node in page._tree:
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message):
            found += [entry for entry in texts_of(proto) if "zq" in RUN_ID.sub("", entry[2])]
    return found


def misread(page: AppTest) -> list[tuple[str, str, str]]:
    """Texts in which a name is read as Markdown, and others that show the escapes themselves."""
    wrong = []
    for kind, field, text in shown(page):
        is_escaped = TOKEN not in text
        if field not in NEVER_SHOWN and is_escaped == ((kind, field) in SHOWN_AS_IS):
            wrong.append((kind, field, text))
    return wrong


@pytest.fixture
def second(store: RunStore, run: str, tmp_path: Path) -> str:
    """The same run, as if with another seed and weights from a file with a name of its own."""
    new = "20200101-000000-second"
    shutil.copytree(store.folder(run), store.home / new)
    config = json.loads((store.home / new / CONFIG).read_text())
    weights = tmp_path / f"w {MARKUP}.pth"
    weights.touch()
    settings = config["settings"] | {"seed": 1, "weights": str(weights)}
    (store.home / new / CONFIG).write_text(json.dumps(config | {"run_id": new, "settings": settings}))
    return new


@pytest.mark.parametrize("name", [name for name in PAGES if name != "learn"])
def test_a_page_shows_names_letter_by_letter(open_page: OpenPage, root: Path, run: str, second: str, name: str):
    sample = f"test/{NAMES['spot']}/{NAMES['image']}"
    if name == "sweep":
        plan = plan_new(RunStore(), "s", Asked(root, sets=SMALL), 1, Way()).sweep
        sweeps.create(RunStore(), replace(plan, runs={plan.cells[0].key: run}))
    choices = {
        "data": {"root": str(root), "group": f"test {NAMES['spot']}"},
        "train": {"root": str(root)},
        "sweep": {"sweep": "s"},
        "compare": {"runs": [run, second], "sample": sample},
        "overview": {},
    }
    page = open_page(name, **choices.get(name, {"run": run, "sample": sample}))
    assert shown(page), "the page shows no name: nothing was tested"
    assert misread(page) == []
    if name == "sweep":
        assert misread(open_page("sweep", root=str(root))) == [], "the form"


def test_what_is_not_there_is_named_letter_by_letter(open_page: OpenPage, store: RunStore, root: Path, run: str):
    nowhere = f"no {MARKUP}"
    for name, choices in {
        "data": {"root": str(root), "category": nowhere},
        "train": {"root": str(root / NAMES["plate"])},
        "results": {"run": nowhere},
        "localization": {"run": run, "sample": nowhere},
        "compare": {"runs": nowhere},
        "overview": {"root": nowhere},
    }.items():
        page = open_page(name, **choices)
        assert shown(page) and misread(page) == []
    moved = root.rename(root.with_name("moved"))
    try:
        for name in ("data", "results", "localization", "failures", "trajectories"):
            page = open_page(name, root=str(root), run=run)
            assert shown(page) and misread(page) == []
    finally:
        moved.rename(root)


def test_a_run_that_is_watched_or_damaged_is_shown_letter_by_letter(open_page: OpenPage, store: RunStore, run: str):
    message = f"It failed at {MARKUP}."
    store.write_status(run, RunStatus(state="failed", stage="train", heartbeat=1.0, message=message, fix=message))
    for name, choices in {"train": {"watch": run}, "overview": {}}.items():
        page = open_page(name, **choices)
        assert shown(page) and misread(page) == []


def test_images_that_are_inspected_are_shown_letter_by_letter(
    open_page: OpenPage, store: RunStore, root: Path, run: str
):
    folder = root / NAMES["plate"] / "train/good"
    broken = f"{MARKUP}.png"
    made = write_inspection(store, run, {NAMES["image"]: 3.0, broken: f"{broken} is cut off."}, folder)
    name_inspection(store, made.inspection_id, TAG)
    note_image(store, made.inspection_id, NAMES["image"], MARKUP)
    for choices in ({}, {"cards": "rows"}, {"cards": "grid"}, {"image": NAMES["image"]}, {"image": broken}):
        page = open_page("inspect", run=run, **({"inspection": made.inspection_id} if choices else {}), **choices)
        assert not page.exception
        assert shown(page) and misread(page) == []


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a.png", "a.png"),
        ("a*b*", r"a\*b\*"),
        ("- a", r"\- a"),
        ("12. a", r"12\. a"),
        ("=1", "=1"),
        ("==", r"\=="),
        ("---", r"\---"),
        ("-5", "-5"),
        ("12-", "12-"),
        ("0.25", "0.25"),
        ("20300101-plate", "20300101-plate"),
        ("a-b.c", "a-b.c"),
        ("line\nfeed", r"line\\nfeed"),
        ("\u202egnp", r"\\u202egnp"),
        ("\udcfc.png", r"\\xfc.png"),
        ("  a", "\u2060\xa0\xa0\u2060a"),
        ("a -> b", "a -\u2060\\> b"),
        ("a->b", r"a-\>b"),
        ("www.a.de", "www\u2060.a.de"),
        ("http://y", r"http\://y"),
        ("http://y.de", "http\\:\u2060//y.de"),
        (":material/home:", "\\:\u2060material/home\\:"),
    ],
)
def test_letters_that_mean_something_are_escaped_and_others_stay(text: str, escaped: str):
    assert plain(text) == escaped
