"""In which order the cells of a sweep are begun."""

from collections.abc import Mapping, Sequence

from wtflow.records.sweep import Cell
from wtflow.store.features import cache_limit_bytes


def ordered(cells: Sequence[Cell], groups: Mapping[str, str], feature_bytes: int) -> list[str]:
    """Keys of the cells, in order. The first of each group of runs with the same features comes first, so that runs
    side by side seldom wait for the same ones. Where the features of all do not fit into the cache, group follows
    group, so that none is computed twice.
    """
    by_group: dict[str, list[str]] = {}
    for cell in cells:
        by_group.setdefault(groups[cell.key], []).append(cell.key)
    if feature_bytes > cache_limit_bytes():
        return [key for keys in by_group.values() for key in keys]
    firsts = [keys[0] for keys in by_group.values()]
    rest = set(firsts)
    return firsts + [cell.key for cell in cells if cell.key not in rest]
