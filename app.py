"""WT-Flow Studio: `streamlit run app.py`. The table of pages is in pages/ui/frame.py, since every page must find it
without this file.

Streamlit's server imports this file once, as the module `app`, and serves what is named so; for every visit it runs the
file as a script.
"""

import streamlit as st

if __name__ == "app":
    from pages.ui.access.start import door, open_browser

    app = st.App(__file__, middleware=door(), lifespan=open_browser)
else:
    from pages.ui.frame import navigate

    navigate().run()
