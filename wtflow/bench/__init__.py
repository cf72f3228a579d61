"""How fast and how large everything is, each figure beside a floor measured in the same run: `python -m wtflow bench`.

`figures` says what a figure is and takes times, `workshop` makes what is measured on (drawn images, random weights),
`parts` lists the parts and runs them, and each part is a file with one function `measure(shop)`. Nothing but the
repository is needed.
"""
