"""Small pictures of the scored images, written to the run while it scores. Imports torch."""

from collections.abc import Iterator
from contextlib import closing

from wtflow.config import Settings
from wtflow.datasets.images import load_recorded
from wtflow.datasets.pictures import encode_picture, shrink_picture, side_of
from wtflow.datasets.run_images import RunData
from wtflow.errors import ImageReadError
from wtflow.machine.cores import n_cores
from wtflow.machine.prefetch import prepared_ahead
from wtflow.machine.progress import Progress, say
from wtflow.plots.pictures import to_uint8
from wtflow.store.result_files import ResultFiles


def keep_pictures(results: ResultFiles, run_id: str, data: RunData, settings: Settings, progress: Progress) -> None:
    """Write a picture of every test image and then of every held-out normal, as the score table lists them.

    Of a file that is gone or holds something else by now there is no picture: nothing stands in for it. `progress` may
    raise to stop. Raises DiskFullError, StoreError; then nothing is left of the pictures.
    """
    held_out = [(data.train[row], data.train_hashes[row]) for row in data.held_out]
    scored = [*zip(data.test, data.test_hashes, strict=True), *held_out]
    side_px = side_of(settings.image_size, data.canvas)
    lost = []

    def draw(row: int) -> bytes | None:
        sample, content = scored[row]
        try:
            image = load_recorded(sample.path, content, None, settings.background)
        except ImageReadError as error:
            lost.append(error.message)
            return None
        return encode_picture(shrink_picture(to_uint8(image), side_px))

    def drawn() -> Iterator[tuple[int, bytes]]:
        threads = n_cores()
        with closing(prepared_ahead(draw, range(len(scored)), threads if threads > 1 else 0)) as pictures:
            for row, encoded in enumerate(pictures):
                if encoded is not None:
                    yield row, encoded
                progress(row + 1, len(scored))

    results.write_pictures(run_id, drawn())
    if lost:
        say(f"pictures: {len(lost)} of {len(scored)} could not be kept; the first: {lost[0]}")
