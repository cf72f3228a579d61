"""A person's words (names of defects, files, runs) in figures, letter by letter."""

import html


def figure_letters(text: str) -> str:
    """For a Plotly figure, which obeys tags and entities, and fills in %{...}."""
    return html.escape(text, quote=False).replace("%{", "%&#123;")


def still_letters(text: str) -> str:
    """For Matplotlib, where two dollar signs hold a formula, and a label that begins with an underscore is left out of
    legends.
    """
    return " " * text.startswith("_") + text.replace("$", r"\$")
