"""Data sets made here from any images: files come in, are sorted, split, given masks and published as versions that
runs are trained on; corrections of a run become the next version.

What a page calls, each with the store first and the name of the set second:

* `wtflow.store.datasets`: `set_names`, `create_set`, `open_set` (the whole state: items with label, source and size,
  counts, types, history, `serial`), `original_of` and `mask_of` (where the files of an item lie), `delete_set`.
* `wtflow.store.dataset_versions`: `version_numbers`, `open_version`, `version_root` (with the set's name as category:
  what `trainings.start` takes), `version_of(root)`, `title_of(root, category)`.
* `wtflow.intake.adding`: `add_folder`, `add_files`, `add_uploads`, `add_zip`; each returns `Added`, which
  `wtflow.intake.words` puts into sentences.
* `wtflow.intake.sorting`: `set_labels` (returns what the labels were, for undo), `pin`, `say_apart`, `set_split`.
* `wtflow.intake.masks`: `read_mask`, `write_mask`, `remove_mask`; `wtflow.intake.mask_files`: `import_masks`.
* `wtflow.intake.near`: `known_pairs` (near-duplicates as they were found, at once; None where nobody looked since
  images came) and `find_pairs` (looks for them: loads torch and takes seconds per hundred new images).
* `wtflow.intake.split`: `place` (the side of each image, and sentences on why). `wtflow.intake.versions`:
  `what_changes`, `publish`, `runs_of`, `delete_version`.
* `wtflow.intake.rank`: `rank_unsorted` (loads torch). `wtflow.intake.corrections`: `correct` (an image of a run),
  `correct_file` (an image of an inspection), `take_back`, `corrections_of`; `wtflow.intake.corrected`: `preview_words`,
  `apply_corrections` (may take minutes); then `wtflow.jobs.again.train_again`.

`seen=` of a change is the `serial` of the state on the screen: where another window changed the same images meanwhile,
ChangedMeanwhileError says so and nothing is written. `wtflow.datasets.allowed` says which folders of the server a page
may read.
"""
