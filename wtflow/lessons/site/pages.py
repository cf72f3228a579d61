"""The pages of the site as HTML, from templates in assets/learn/site."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from types import ModuleType
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import wtflow
from wtflow.lessons import LESSONS, SHOW_A_RUN, load_lesson
from wtflow.lessons.base import DATA_TITLES, OWN
from wtflow.lessons.course import PATHS, course, read_notes
from wtflow.lessons.course_map import draw_map
from wtflow.lessons.predictions import encode_predictions
from wtflow.lessons.site.prose import to_html
from wtflow.lessons.site.scenes import has_drawn
from wtflow.lessons.texts import FOLDER, SOURCES, read_glossary, read_lesson
from wtflow.machine.places import ASSETS

SOURCE: Final = FOLDER / "site"
METHOD: Final = ASSETS / "docs" / "method.md"


@dataclass(frozen=True)
class Place:
    """A lesson in the order of all: its number from 1, its name (the file's, too) and its title."""

    number: int
    name: str
    title: str


PLACES: Final = tuple(Place(number, name, title) for number, (name, title) in enumerate(LESSONS.items(), start=1))


def write_pages(n_samples: int, day: date) -> dict[str, str]:
    """File name -> HTML of every page: the list of lessons, each lesson, the words, and the method where its text is
    part of this copy of the app.
    """
    templates = _templates(day)
    rows, drawn = [_row(place) for place in PLACES], Markup(draw_map(lambda name: f"{name}.html"))
    pages = {
        "index.html": templates.get_template("index.html.j2").render(rows=rows, drawn=drawn),
        "teachers.html": templates.get_template("teachers.html.j2").render(
            paths=PATHS, titles=LESSONS, notes=[(place, _html(read_notes(place.name))) for place in PLACES]
        ),
    }
    for place in PLACES:
        pages[f"{place.name}.html"] = templates.get_template("lesson.html.j2").render(_lesson(place, n_samples))
    text = templates.get_template("text.html.j2")
    pages["words.html"] = text.render(title="Words and symbols", html=_html(read_glossary()))
    if METHOD.is_file():
        _, _, body = METHOD.read_text(encoding="utf-8").partition("\n")  # the first line is the title
        pages["method.html"] = text.render(title="The method", html=_html(body))
    return pages


def _templates(day: date) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(SOURCE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    everywhere: dict[str, Any] = {
        "version": wtflow.__version__,
        "day": f"{day.day} {day:%B %Y}",
        "sources": _html(SOURCES),
        "places": PLACES,
        "has_method": METHOD.is_file(),
    }
    templates.globals.update(everywhere)
    return templates


def _row(place: Place) -> dict[str, Any]:
    known = course()[place.name]
    return {
        "place": place,
        "gives": known.gives,
        "minutes": known.minutes,
        "needs": [one for one in PLACES if one.name in known.needs],
        "needs_run": place.name in SHOW_A_RUN,
    }


def _lesson(place: Place, n_samples: int) -> dict[str, Any]:
    text, lesson = read_lesson(place.name), load_lesson(place.name)
    at = place.number - 1
    return {
        "place": place,
        "before": PLACES[at - 1] if at else None,
        "after": PLACES[at + 1] if at + 1 < len(PLACES) else None,
        "body": _html(text.body),
        "asked": Markup(_json(encode_predictions(place.name, ""))),
        "glossary": _html(read_glossary()),
        "needs_run": place.name in SHOW_A_RUN,
        "facts": None if place.name in SHOW_A_RUN else Markup(_facts(place, lesson, n_samples)),
        "data": {key: DATA_TITLES[key] for key in lesson.DATA},
        "has_controls": bool(lesson.CONTROLS),
    }


def _facts(place: Place, lesson: ModuleType, n_samples: int) -> str:
    """What the page's script has to know, as JSON that may stand within a script element."""
    facts = {
        "name": place.name,
        "title": place.title,
        "controls": [asdict(control) for control in lesson.CONTROLS],
        "data": list(lesson.DATA),
        "own": OWN if has_drawn(lesson) else "",
        "nSamples": n_samples,
    }
    return _json(facts)


def _json(value: object) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _html(markdown: str) -> Markup:
    return Markup(to_html(markdown))
