"""How fast and how large everything is, each figure with a floor measured in the same run: `python -m wtflow bench`.

`figures` defines a figure and takes times, `workshop` makes the material (drawn images, random weights), `parts` lists
the parts and runs them, and each part is a file with one function `measure(shop)`. The bench needs only the repository.
"""
