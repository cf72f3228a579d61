"""`python tests/base_only.py CODE`: runs code as in an environment where only the base of this package is installed.

What is installed here besides its base requirements, and all that these require in turn, is hidden.
"""

import sys
import tomllib
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
CONTENTS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = [Requirement(line) for line in CONTENTS["project"]["dependencies"]]


def required(requirements: list[Requirement]) -> set[str]:
    """Names of the distributions that are installed with these, themselves included."""
    names, left = set(), list(requirements)
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        if name in names or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        names.add(name)
        try:
            left += [Requirement(line) for line in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue  # for another system, or not installed here
    return names


@cache
def hidden_modules() -> frozenset[str]:
    """Top-level modules of the distributions that a base install does not have."""
    kept = required(BASE)
    return frozenset(
        module
        for module, distributions in metadata.packages_distributions().items()
        if not kept & {canonicalize_name(name) for name in distributions}
    )


class WithoutThem(PathFinder):
    """Finds what Python finds, but for what is hidden."""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        return None if fullname.partition(".")[0] in hidden_modules() else PathFinder.find_spec(fullname, path, target)


if __name__ == "__main__":
    hidden_modules()  # while everything is found
    sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutThem
    sys.path.insert(0, str(PROJECT))
    exec(sys.argv[1], {"__name__": "__base__"})
