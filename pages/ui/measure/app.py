"""The app as `app.py` runs it; where the address says so, a page's heading alone: the floor of what pages take."""

import streamlit as st

from pages.ui.frame import navigate, open_page
from pages.ui.measure.running import FLOOR

page = navigate()
if FLOOR in st.query_params:
    open_page(st.query_params[FLOOR])
else:
    page.run()
