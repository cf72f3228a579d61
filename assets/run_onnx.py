"""Score images with an exported detector: python run_onnx.py DETECTOR.onnx IMAGE... Needs onnxruntime and pillow."""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def pixels_of(path, width, height):
    """float32 (H, W, 3) in [0, 1], upright; for 8-bit images without transparency."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32) / np.float32(255)


if __name__ == "__main__":
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    known = session.get_modelmeta().custom_metadata_map
    for path in sys.argv[2:]:
        pixels = pixels_of(path, int(known["width"]), int(known["height"]))
        score, pixel_map = session.run(["score", "map"], {"pixels": pixels[None]})
        verdict = "defective" if score[0] >= float(known["threshold"]) else "normal"
        row, column = np.unravel_index(pixel_map[0].argmax(), pixel_map[0].shape)
        print(f"{path}: {score[0]:.6g}, {verdict}, highest at row {row}, column {column} of {known['height']}")
