"""Where images come from: folder layouts (mvtec, visa, btad), their health, decoding, and the demo categories.

`scan` finds categories in folders of every layout, `images` loads pixels. Nothing here imports torch.
"""
