"""Where images come from: folder layouts (mvtec, visa, btad), their health, decoding, and the demo categories.

`scan` is the door to folders of every layout, `images` for pixels. Nothing here imports torch.
"""
