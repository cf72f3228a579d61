"""WT-Flow Studio: `streamlit run app.py`. The table of pages is in pages/ui/frame.py, since every page must find it
without this file.
"""

from pages.ui.frame import navigate

navigate().run()
