"""The mask that an image has before somebody corrects it."""

from wtflow.intake.copied import copy_of, mask_as_read
from wtflow.intake.corrections import contents_of, corrections_of, mask_of_correction
from wtflow.intake.drawn import mask_picture
from wtflow.records.intake import ID_LENGTH
from wtflow.store.dataset_versions import own_set
from wtflow.store.datasets import open_set
from wtflow.store.files import explained
from wtflow.store.runs import RunStore


def known_mask(store: RunStore, run_id: str, image: str, sha256: str = "") -> bytes:
    """The black and white PNG, at the size of the image, of the mask that the next version would have if nobody drew
    another; empty without one. The one that was drawn as a correction comes first, then that of the data set made here,
    then that of the folder as the run reads it.

    image: its id in the run. sha256: of the contents of an image that is not among those of the run. Raises
    DatasetError for an image that the run does not have, ImageReadError where there is a mask that cannot be used,
    StoreError.
    """
    contents = sha256 or contents_of(store, run_id, image)
    for said in corrections_of(store, run_id):
        path = mask_of_correction(store, run_id, said)
        if said.sha256 == contents and path is not None:
            with explained(path):
                return path.read_bytes()
    name = own_set(store, store.config(run_id).root) or copy_of(store, run_id)
    if name is not None and (item := open_set(store, name).items.get(contents[:ID_LENGTH])) is not None:
        return mask_picture(store, name, item.id)
    return b"" if sha256 else mask_as_read(store, run_id, image)
