"""How does one patch become one pixel of the map?"""

from pages.ui import widgets
from pages.ui.errors import shown
from pages.ui.follow.show import show_story
from pages.ui.frame import open_page
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    show_story(store, widgets.open_run(store))


store = open_page("follow")
with shown():
    main(store)
