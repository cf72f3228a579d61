"""Where images come from: folder layouts (mvtec, visa, btad), their health, decoding, and the demo categories.

`mvtec` is the door for folders of any layout, `images` for pixels. Nothing here imports torch.
"""
