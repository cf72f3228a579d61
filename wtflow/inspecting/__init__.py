"""New images are looked at by a finished detector: any number, streamed; kept, resumed, watched, compared.

Importing these modules loads no torch; the process that scores does.

    from wtflow.inspecting import kept, tasks

    made = tasks.start(store, detector, sources)     # a process; `detector`: run id or path of a .wtf file
    tasks.start(store, run_id, [], uploads=[(name, content), ...])          # images that came through the browser
    tasks.start(store, run_id, [folder], threshold=1.25, settings=InspectSettings(watch=True))
    tasks.look(store, inspection_id)                 # Inspection as it is now: state, counts, detector; poll it
    tasks.look_all(store)                            # newest first; a damaged one has `problem` set
    tasks.stop(...), tasks.resume(...), tasks.delete(...)

    kept.stamp(store, inspection_id)                 # differs when there are new rows: what a cache is keyed by
    kept.rows(store, inspection_id)                  # tuple[Inspected, ...], also while it runs: reads new lines only
    kept.table(store, inspection_id)                 # the same as a DataFrame with the columns of scores.csv
    kept.row(store, inspection_id, image)            # one of them
    kept.raw_map(store, inspection, row)             # float32 (h, w), or None
    kept.pixel_map(store, inspection, row)           # float32 (H, W) of `inspection.facts.shape`, or None
    kept.picture(store, inspection, row)             # small JPEG of the image upright, or None
    kept.original(inspection, row)                   # the file at full size; refused where it holds something else now
    kept.drift(store, inspection)                    # Drift: has the camera or the light changed? tenths of a second
    kept.normals(store, inspection_id)               # Looks of training normals: histogram, drift; None before

Records are in `wtflow/records/inspect.py` and `wtflow/records/looks.py`, the folder on disk in
`wtflow/store/inspections.py`.
"""
