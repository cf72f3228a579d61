"""Scenes stored for the browser: one small script each, because a page that was opened from a disk may load nothing
else.
"""

import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from wtflow.lessons.base import OWN, Check, Scene, choose_points, encode_scene, read_settings


def scenes_of(name: str, lesson: ModuleType, n_samples: int) -> Iterator[tuple[str, str]]:
    """Name and script of every scene of a lesson: for each data set that it offers, each of the samples 0 to n - 1, at
    the settings at which it starts; and for each sample what drawn points are completed with.
    """
    settings = read_settings(lesson.CONTROLS, None)
    for seed in range(n_samples):
        for data in lesson.DATA or ("",):
            points = choose_points(data, None, seed) if data else None
            key = scene_name(name, data, seed)
            yield key, _script(key, _told(lesson.prepare(seed, points, settings), settings))
        if has_drawn(lesson):
            key = scene_name(name, OWN, seed)
            yield key, _script(key, {"data": encode_scene(Scene(lesson.beside_points(seed)), {})["data"], "checks": []})


def n_scenes(lesson: ModuleType, n_samples: int) -> int:
    """How many `scenes_of` gives."""
    return n_samples * (max(1, len(lesson.DATA)) + has_drawn(lesson))


def has_drawn(lesson: ModuleType) -> bool:
    """Whether the browser can make the lesson's scene of points drawn by hand."""
    return hasattr(lesson, "beside_points")


def scene_name(name: str, data: str, seed: int) -> str:
    """File name, without ending, of a scene: flow-moons-0, shell-0. assets/learn/site/site.js makes the same."""
    return "-".join(part for part in (name, data, str(seed)) if part)


def _told(scene: Scene, settings: dict[str, float]) -> dict[str, Any]:
    return {"data": encode_scene(scene, settings)["data"], "checks": [_row(check) for check in scene.checks]}


def _row(check: Check) -> dict[str, Any]:
    return {"label": check.label, "words": check.words, "source": check.source, "holds": bool(check.holds)}


def _script(key: str, scene: dict[str, Any]) -> str:
    return f"lessonScene({json.dumps(key)}, {json.dumps(scene, ensure_ascii=False, separators=(',', ':'))});\n"
