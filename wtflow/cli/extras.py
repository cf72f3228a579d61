"""What a base install lacks, said in a sentence; `pyproject.toml` lists what is base and what an extra brings."""

from typing import Final

from wtflow.errors import MissingPackageError

EXTRAS: Final[dict[str, dict[str, str]]] = {
    "app": {
        "streamlit": "streamlit",
        "plotly": "plotly",
        "matplotlib": "matplotlib",
        "jinja2": "jinja2",
        "markupsafe": "markupsafe",
        "markdown_it": "markdown-it-py",
        "latex2mathml": "latex2mathml",
        "pandas": "pandas",
        "pyarrow": "pyarrow",
        "scipy": "scipy",
        "sklearn": "scikit-learn",
        "umap": "umap-learn",
        "filelock": "filelock",
        "itsdangerous": "itsdangerous",
        "psutil": "psutil",
    },
    "export": {"onnx": "onnx", "onnxscript": "onnxscript", "onnxruntime": "onnxruntime"},
}
"""Extra -> module -> the package that it comes with."""


def missing(module: str | None, command: str) -> MissingPackageError | None:
    """What to say where `command` needs a module that is not installed; None where no extra would bring it."""
    name = (module or "").partition(".")[0]
    for extra, packages in EXTRAS.items():
        if name in packages:
            return MissingPackageError(
                f"`{command}` needs {packages[name]}, which is not installed.",
                fix=f"The extra {extra} brings it: pip install 'wtflow-studio[{extra}]'",
            )
    return None
