"""WT-Flow Studio: `streamlit run app.py`. The table of pages is in pages/ui/frame.py, since every page must find it
without this file.

Streamlit runs this file for every visit. Its server imports it once, and serves what is named `app`.
"""

import streamlit as st

if __name__ == "__main__":
    from pages.ui.frame import navigate

    navigate().run()
else:
    from pages.ui.access.start import door, open_browser

    app = st.App(__file__, middleware=door(), lifespan=open_browser)
