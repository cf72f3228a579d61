"""What happened while images came in, in sentences for the shell and the page alike."""

from collections import Counter

from wtflow.errors import DatasetError
from wtflow.intake.sorting import labelled_words
from wtflow.numbers import count
from wtflow.records.intake import Added, DataSet

MOST_NAMED = 5


def added_words(added: Added) -> tuple[str, ...]:
    """Sentences about what came in, what was there already and what was refused, with reasons."""
    found = [f"{count(len(added.added), 'image')} added."]
    if added.relabelled:
        found.append(f"{count(len(added.relabelled), 'image')} that were not sorted, or left out, are labelled now.")
    if added.same:
        names = ", ".join(source for source, _ in added.same[:MOST_NAMED])
        more = f" and {len(added.same) - MOST_NAMED:,} more" if len(added.same) > MOST_NAMED else ""
        holds = "file holds" if len(added.same) == 1 else "files hold"
        found.append(f"{len(added.same):,} {holds} what another one holds, and count once: {names}{more}.")
    if added.n_ignored:
        are = "is no image and was" if added.n_ignored == 1 else "are no images and were"
        found.append(f"{count(added.n_ignored, 'file')} {are} left.")
    for reason, names in _by_reason(added).items():
        more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        found.append(f"{count(len(names), 'file')} not taken ({', '.join(names[:MOST_NAMED])}{more}): {reason}")
    return tuple(found)


def refuse_clashes(data: DataSet, added: Added) -> None:
    """Raises DatasetError where files with the same contents were given two labels: nobody can say which is right."""
    if not added.clashes:
        return
    source, key = added.clashes[0]
    item = data.items[key]
    n = len(added.clashes) - 1
    more = f" There {'is' if n == 1 else 'are'} {n:,} more such {'file' if n == 1 else 'files'}." if n else ""
    raise DatasetError(
        f"{source} holds exactly what {item.source} holds, which is called {labelled_words(item.labelled)}: one image"
        f" cannot have two labels.{more}",
        fix="Remove one of the two, or sort the image by hand.",
    )


def state_words(data: DataSet) -> str:
    """How many images a data set has of what, in a line."""
    counts = data.counts
    types = ", ".join(f"{n:,} {name}" for name, n in data.types.items())
    parts = [
        count(counts["good"], "good image"),
        f"{counts['defect']:,} defective{f' ({types})' if types else ''}",
        *([f"{counts['unsorted']:,} not sorted"] if counts["unsorted"] else []),
        *([f"{counts['out']:,} left out"] if counts["out"] else []),
    ]
    return "; ".join(parts)


def _by_reason(added: Added) -> dict[str, list[str]]:
    """Reason -> files; a reason that names its file stands for that file alone."""
    n_of = Counter(one.reason for one in added.refused)
    return {reason: [one.name for one in added.refused if one.reason == reason] for reason in n_of}
