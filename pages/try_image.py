"""The address of an earlier version, in links that people kept: it leads to *Inspect*."""

from pages.ui.frame import lead_on

lead_on("try_image")
