"""Lesson 7, the well and the escape. First act: a small network learns the field of points in the plane; anomalies are
placed, travel and are scored. Second act: the exact field of the points does otherwise.

`python -m wtflow.lessons.well` trains one network for each data set and coupling and writes them to
assets/learn/well.npz (a minute). They are trained on the points of seed 0; for other points the browser trains one.
Away from its points, the network's output is a property of the network: the exact field of finitely many points is
known (independent coupling), and compared with it in the second act.

Sources: [Paper] arXiv 2508.05461 for the well, the endpoint score and one step; the comparison with the exact field is
ours (METHOD 5.1, 5.5).
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from wtflow.flow import exact
from wtflow.lessons import small_net
from wtflow.lessons.base import DATA_SETS, KINDS, N_POINTS, Check, Control, Scene
from wtflow.lessons.well_ends import exact_path, one_step_score
from wtflow.machine.places import ASSETS

ANOMALIES: Final = (("a", -1.0, 2.6), ("b", 2.8, 1.4), ("c", 0.2, -3.2))
"""Letter and start of each anomaly that can be dragged."""

_REACH = 4.5

CONTROLS: Final = (
    Control("act", "Act", 0, 1, 1, 0, kind="choice", options=("the well", "the exact field")),
    Control("coupling", "Coupling", 0, 2, 1, 2, kind="choice", options=KINDS, when=("act", 0)),
    Control("map", "Go in", 0, 1, 1, 1, kind="choice", options=("one step", "many steps")),
    Control("steps", "Steps", 2, 50, 1, 20, when=("map", 1)),
    Control("net", "Network", 0, 1, 1, 0, kind="choice", options=("stored", "train here"), when=("act", 0)),
    Control("t", "Time t", 0, 1, 0.01, 0),
    *(
        Control(f"{name}{axis}", f"{name.upper()} {axis}", -_REACH, _REACH, 0.01, start, kind="hidden")
        for name, x, y in ANOMALIES
        for axis, start in (("x", x), ("y", y))
    ),
)
DATA: Final = ("moons", "rings", "grid", "letters", "one_gaussian")

FILE: Final = ASSETS / "learn" / "well.npz"
STORED_STEPS: Final = 3000
_SEED = 7
FAR: Final = (4.0, 4.0)
"""A place far from every data set, whose score is compared."""

_FAR_OFF = 5.0
"""An endpoint this far out, several times as far as noise, comes from the steep field next to
a data point, not from the noise.
"""

_PROBES = np.array([[0.5, 0.5, 0.0], [-1.0, 1.5, 0.3], [2.0, -1.0, 0.7], [*FAR, 0.0]])
"""x, y, t: where browser and Python are compared."""


def prepare(seed: int, points: np.ndarray | None, settings: dict[str, float]) -> Scene:
    """`atoms` (n, 2) to learn and, where networks are stored for them, `weights` (3, N_WEIGHTS) in
    the order of `KINDS`.

    With weights come `probe_v` (3, 4, 2), the velocity at `probes` (x, y, t), and `far_score` (3,), the one-step score
    of `FAR`, both by Python. points: None for two moons. `is_stored` says whether there are weights. The browser
    trains with the same `seed`.
    """
    atoms = (
        DATA_SETS["moons"](N_POINTS, np.random.default_rng(seed))
        if points is None or not len(points)
        else np.asarray(points)
    )
    atoms = atoms.astype(np.float32).astype(np.float64)
    data: dict[str, np.ndarray | float] = {"atoms": atoms, **beside_points(seed)}
    weights = stored_weights(atoms)
    if weights is not None:
        probe_v = np.array(
            [[small_net.velocity(one, probe[None, :2], probe[2])[0] for probe in _PROBES] for one in weights]
        )
        far_score = np.array([one_step_score(one, np.array([FAR]))[0] for one in weights])
        data |= {
            "is_stored": 1.0,
            "weights": weights,
            "probes": _PROBES,
            "probe_v": probe_v,
            "far": np.array(FAR),
            "far_score": far_score,
        }
    return Scene(data, _checks(atoms, weights, places(settings)))


def beside_points(seed: int) -> dict[str, float]:
    """What says that no network is stored: the browser trains one."""
    return {"seed": float(seed), "is_stored": 0.0}


def places(settings: dict[str, float]) -> np.ndarray:
    """Where the anomalies A, B, C are, (3, 2)."""
    return np.array([[settings.get(f"{name}x", x), settings.get(f"{name}y", y)] for name, x, y in ANOMALIES])


def stored_weights(atoms: np.ndarray) -> np.ndarray | None:
    """(3, N_WEIGHTS) trained on just these atoms, in the order of `KINDS`, or None."""
    for name, (points, weights) in _stored(FILE.stat().st_mtime_ns if FILE.is_file() else 0).items():
        if name in DATA and points.shape == atoms.shape and np.array_equal(points, atoms.astype(np.float32)):
            return weights
    return None


@cache
def _stored(stamp: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Data set -> its points (n, 2) and weights (3, N_WEIGHTS); empty where the file is absent. `stamp` changes
    with the file.
    """
    if not stamp:
        return {}
    with np.load(FILE, allow_pickle=False) as file:
        return {name: (file[f"{name}_points"], file[f"{name}_weights"].astype(np.float64)) for name in DATA}


def _checks(atoms: np.ndarray, weights: np.ndarray | None, anomalies: np.ndarray) -> tuple[Check, ...]:
    at_end = exact.finite_velocity(anomalies[:1], 1.0, atoms)[0]
    once, doubled = (np.linalg.norm(exact_path(atoms[:1] + 0.5, atoms, steps)[-1]) for steps in (400, 800))
    one_step = float(small_net.score(exact_path(anomalies, atoms, 1)[-1]).max())
    checks = [
        Check("Score of A, B, C by one exact step, the largest", one_step, 0.0, 1e-12, "ours, METHOD 5.1"),
        Check(
            "Exact v_x at A and t = 1, against A minus the mean of the data",
            at_end[0],
            anomalies[0, 0] - atoms[:, 0].mean(),
            1e-9,
            "ours, METHOD 5.5",
        ),
    ]
    if once > _FAR_OFF:
        words = "Next to a data point: distance of the exact endpoint with 800 steps over that with 400"
        checks.append(Check(words, float(doubled / once), 2.0, 0.1, "ours: the slope there is 1/t, METHOD 5.4"))
    if weights is not None:
        gap = excess_loss(weights[0], atoms, np.random.default_rng(_SEED))
        words = "Stored network, independent: half the mean squared gap to the exact field at x_t, t from 0.2 to 1"
        checks.append(Check(words, gap, 0.0, 0.1, "learned, so near 0 but not 0"))
    return tuple(checks)


def excess_loss(weights: np.ndarray, atoms: np.ndarray, rng: np.random.Generator, n: int = 400) -> float:
    """Mean of |learned - exact|^2 / 2 over n points x_t of independent pairs, t from 0.2 to 1 (at smaller t the exact
    field is too steep to learn).
    """
    x, noise, times = atoms[rng.integers(0, len(atoms), n)], rng.standard_normal((n, 2)), np.linspace(0.2, 1, 20)
    total = 0.0
    for t, rows in zip(times, np.array_split(np.arange(n), len(times)), strict=True):
        x_t = (1 - t) * x[rows] + t * noise[rows]
        total += 0.5 * np.square(small_net.velocity(weights, x_t, t) - exact.finite_velocity(x_t, t, atoms)).sum()
    return float(total / n)


# -- stills ------------------------------------------------------------------------------------------------------------


def figure(scene: Scene, settings: dict[str, float]) -> list[tuple[str, Any]]:
    """The figures of the act that is set. Without stored weights a network is trained (seconds)."""
    from wtflow.lessons.well_figures import draw_exact, draw_well  # Matplotlib takes a second to load

    atoms, anomalies, t, many = scene.array("atoms"), places(settings), settings["t"], int(settings["steps"])
    steps, is_exact = many if settings["map"] else 1, settings["act"] == 1
    weights = _figure_weights(scene, 0 if is_exact else int(settings["coupling"]))
    if is_exact:
        return draw_exact(weights, atoms, anomalies, t=t, steps=steps)
    return draw_well(weights, atoms, anomalies, t=t, steps=steps, many=many)


def _figure_weights(scene: Scene, kind: int) -> np.ndarray:
    if "weights" in scene.data:
        return scene.array("weights")[kind]
    return _trained(scene.array("atoms").tobytes(), kind, int(scene.number("seed")))


@cache
def _trained(atoms: bytes, kind: int, seed: int) -> np.ndarray:
    """Cached, because a movie needs the same network in every frame."""
    return small_net.train(np.frombuffer(atoms).reshape(-1, 2), KINDS[kind], STORED_STEPS, np.random.default_rng(seed))


# -- the stored networks -----------------------------------------------------------------------------------------------


def write_stored(path: Path = FILE, steps: int = STORED_STEPS) -> None:
    """Train and write the networks of all data sets and couplings; points as float32, weights as float16. The file is
    the same every time.
    """
    arrays = {}
    for i, name in enumerate(DATA):
        points = DATA_SETS[name](N_POINTS, np.random.default_rng(0)).astype(np.float32)
        nets = [
            small_net.train(points.astype(np.float64), kind, steps, np.random.default_rng([_SEED, i, k]))
            for k, kind in enumerate(KINDS)
        ]
        arrays |= {f"{name}_points": points, f"{name}_weights": np.stack(nets).astype(np.float16)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    write_stored()
