"""The demo categories, drawn by the app itself: a fabric, a flange and a cap screw. `write` puts them on disk,
`images` draws one.
"""
