"""Addresses of pictures for components, so that the browser fetches only what it shows and keeps what it has seen."""

from streamlit import runtime

WEBP = "image/webp"


def address_of(content: bytes, name: str, kind: str = WEBP) -> str:
    """Address, on this server, of a picture's bytes. It holds until the page has run again without asking for it.

    name: another one for each picture of a page; kind: media type.
    """
    return runtime.get_instance().media_file_mgr.add(content, kind, name)
