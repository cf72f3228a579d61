"""Near-duplicates in a data set: the same part twice, frames of a burst, a file saved again. NumPy only, but for
`find_pairs`, which looks at images that are new.

Two images are near-duplicates when their details, shifted by up to MOST_SHIFT, correlate by LEAST_ALIKE or more. Looked
at are, for each image, the nearest others by features and by a coarse picture, because all pairs of 10,000 images are
50 million. Where parts look so much alike that pairs chain many of them together, the threshold rises until they do
not. How it was chosen: assets/docs/measured.md.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.fft import irfft2, rfft2

from wtflow.errors import DamagedRunError
from wtflow.records.intake import DataSet, Item, Pair
from wtflow.store.datasets import folder_of, open_set, original_of
from wtflow.store.files import explained, read_json, write_arrays, write_json
from wtflow.store.runs import RunStore

LEAST_ALIKE = 0.86
STEPS = (LEAST_ALIKE, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99)
LARGEST_SHARE = 0.02
"""Of all images: a larger group is a chain of parts that look alike, unless it hangs together as a burst does."""
FEWEST_IN_LARGE = 12
"""A group of so few images is never too large."""
LEAST_LINKS = 0.75
"""In a burst each image is linked to this share of those that it was compared with; in a chain to fewer."""
MOST_SHIFT = 6 / 64
"""Of the side of the picture."""
N_NEAREST = 8
COARSE = 16
LOOKS, NEAR = ".looks.npz", ".near.json"
_AT_ONCE = 512
"""Pairs whose details are in memory at once."""


def find_pairs(store: RunStore, name: str, progress: Callable[[int, int], None] | None = None) -> tuple[Pair, ...]:
    """The near-duplicates among the images of a set that are not left out, nearest first; those whose parts a person
    called different are among them. Keeps what it finds. Raises DatasetError, DiskFullError.
    """
    if (known := known_pairs(store, name)) is not None:
        return known
    data = open_set(store, name)
    items, folder = _looked_at(data), folder_of(store, name)
    ids, vectors, details = _read_looks(folder / LOOKS)
    new = [item for item in items if item.id not in set(ids)]
    if new:
        from wtflow.intake.appearance import compute_appearance

        fresh = compute_appearance([original_of(store, name, item) for item in new], progress)
        ids = [*ids, *(item.id for item in new)]
        vectors, details = (
            np.concatenate([old, one]) if len(old) else one for old, one in zip((vectors, details), fresh, strict=True)
        )
        write_arrays(folder / LOOKS, {"ids": np.array(ids), "vectors": vectors, "details": details})
    at = {key: i for i, key in enumerate(ids)}
    rows = [at[item.id] for item in items]
    pairs = pairs_of([item.id for item in items], vectors[rows], details[rows]) if rows else ()
    values = {"of": _digest(items), "pairs": [[pair.first, pair.second, pair.distance] for pair in pairs]}
    write_json(folder / NEAR, values)
    return pairs


def known_pairs(store: RunStore, name: str) -> tuple[Pair, ...] | None:
    """The near-duplicates that were found; None where images came since, or nobody looked."""
    data = open_set(store, name)
    path = folder_of(store, name) / NEAR
    if not path.is_file():
        return None
    try:
        values = read_json(path)
        if values["of"] != _digest(_looked_at(data)):
            return None
        return tuple(Pair(str(first), str(second), float(d)) for first, second, d in values["pairs"])
    except (DamagedRunError, KeyError, TypeError, ValueError):
        return None  # found again


def pairs_of(ids: Sequence[str], vectors: np.ndarray, details: np.ndarray) -> tuple[Pair, ...]:
    """The near-duplicates among images by their looks, nearest first. vectors (N, K), details (N, S, S)."""
    first, second = _candidates(vectors.astype(np.float32), details.astype(np.float32))
    alike = np.concatenate(
        [
            correlations(details[first[i : i + _AT_ONCE]], details[second[i : i + _AT_ONCE]])
            for i in range(0, len(first), _AT_ONCE)
        ]
        or [np.zeros(0)]
    )
    least = _least_alike(len(ids), first, second, alike)
    found = [
        Pair(
            min(ids[first[k]], ids[second[k]]),
            max(ids[first[k]], ids[second[k]]),
            round(float(max(0.0, 1 - alike[k])), 4),
        )
        for k in np.flatnonzero(alike >= least)
    ]
    return tuple(sorted(found, key=lambda pair: (pair.distance, pair.first, pair.second)))


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(P,) the largest correlation of the middle of each picture with the other one, over all shifts of up to
    MOST_SHIFT in both directions. one, other: (P, S, S).
    """
    side = one.shape[1]
    margin = round(MOST_SHIFT * side)
    inner = side - 2 * margin
    middle = one[:, margin:-margin, margin:-margin].astype(np.float64)
    middle = middle - middle.mean((1, 2), keepdims=True)
    middle /= np.maximum(np.sqrt((middle**2).sum((1, 2), keepdims=True)), 1e-9)
    whole = other.astype(np.float64)
    padded = np.zeros_like(whole)
    padded[:, :inner, :inner] = middle
    # The products of the middle with every window of the other picture; windows that would wrap around are cut off.
    products = irfft2(rfft2(whole) * np.conj(rfft2(padded)), s=(side, side))[:, : 2 * margin + 1, : 2 * margin + 1]
    n = inner * inner
    spread = _window_sums(whole**2, inner) - _window_sums(whole, inner) ** 2 / n
    return (products / np.sqrt(np.maximum(spread, 1e-6 * n))).max((1, 2))


def groups_of(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Ids linked by pairs, directly or through others, as groups; those without a link alone. Each sorted, and all by
    their first id. Pairs with other ids count nothing.
    """
    head = {key: key for key in ids}

    def find(key: str) -> str:
        while head[key] != key:
            head[key] = head[head[key]]
            key = head[key]
        return key

    for first, second in pairs:
        if first in head and second in head:
            low, high = sorted((find(first), find(second)))
            head[high] = low
    groups: dict[str, list[str]] = {}
    for key in sorted(head):
        groups.setdefault(find(key), []).append(key)
    return [tuple(group) for group in groups.values()]


def _least_alike(n: int, first: np.ndarray, second: np.ndarray, alike: np.ndarray) -> float:
    """The lowest threshold at which no group is too large."""
    names = [str(i) for i in range(n)]
    for least in STEPS[:-1]:
        kept = np.flatnonzero(alike >= least)
        linked = [(names[first[k]], names[second[k]]) for k in kept]
        degree = np.bincount(np.concatenate([first[kept], second[kept]]), minlength=n)
        if not any(_is_chain(degree[[int(name) for name in group]], n) for group in groups_of(names, linked)):
            return least
    return STEPS[-1]


def _is_chain(links: np.ndarray, n: int) -> bool:
    """Whether images of a group only look alike by and by. links: how many each of them has; n: images of the set."""
    is_large = len(links) > max(FEWEST_IN_LARGE, LARGEST_SHARE * n)
    return is_large and links.mean() < LEAST_LINKS * min(len(links) - 1, N_NEAREST)


def _candidates(vectors: np.ndarray, details: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of pairs to be looked at: each image with its nearest ones by features, and by a coarse picture."""
    n, side = len(vectors), details.shape[1] // COARSE
    if n < 2:
        return np.zeros(0, int), np.zeros(0, int)
    coarse = details.reshape(n, COARSE, side, COARSE, side).mean((2, 4)).reshape(n, -1)
    coarse /= np.maximum(np.linalg.norm(coarse, axis=1, keepdims=True), 1e-9)
    found: set[tuple[int, int]] = set()
    k = min(N_NEAREST, n - 1)
    for looks in (vectors, coarse):
        for start in range(0, n, _AT_ONCE):
            likeness = looks[start : start + _AT_ONCE] @ looks.T
            likeness[np.arange(len(likeness)), np.arange(start, start + len(likeness))] = -np.inf
            nearest = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
            found |= {(min(start + i, int(j)), max(start + i, int(j))) for i, row in enumerate(nearest) for j in row}
    pairs = np.array(sorted(found), int).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _window_sums(values: np.ndarray, inner: int) -> np.ndarray:
    """(P, M, M) sums of all windows of inner x inner pixels."""
    sums = np.pad(values, ((0, 0), (1, 0), (1, 0))).cumsum(1).cumsum(2)
    return sums[:, inner:, inner:] - sums[:, :-inner, inner:] - sums[:, inner:, :-inner] + sums[:, :-inner, :-inner]


def _looked_at(data: DataSet) -> tuple[Item, ...]:
    return data.of("good", "defect", "unsorted")


def _digest(items: Iterable[Item]) -> str:
    names = sorted(item.id for item in items)
    return hashlib.sha256(f"{STEPS} {N_NEAREST} {' '.join(names)}".encode()).hexdigest()[:16]


def _read_looks(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """What was computed before; nothing where it is absent or damaged, since it can be computed again."""
    with explained(path):
        if path.is_file():
            try:
                with np.load(path, allow_pickle=False) as found:
                    return [str(key) for key in found["ids"]], found["vectors"], found["details"]
            except (ValueError, KeyError, OSError, EOFError):
                pass
    return [], np.zeros((0, 0), np.float16), np.zeros((0, 0, 0), np.float16)
