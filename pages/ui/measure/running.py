"""Streamlit's runtime for the app, on a thread of this process, without a web server."""

import asyncio
import threading
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.runtime import RuntimeConfig
from streamlit.runtime.session_manager import SessionClient

FLOOR = "heading"
"""Query parameter that asks for the heading of a page alone."""


class Running:
    """The runtime of one script. A process can have one."""

    def __init__(self, script: Path) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._begin(script), self._loop).result()

    async def _begin(self, script: Path) -> None:
        media, uploads = MemoryMediaFileStorage("/media"), MemoryUploadedFileManager("/upload")
        self._runtime = Runtime(RuntimeConfig(str(script), media, uploads))
        await self._runtime.start()

    def connect(self, client: SessionClient) -> str:
        """Id of a new session whose messages go to the client."""

        async def connect() -> str:
            return self._runtime.connect_session(client, {})

        return asyncio.run_coroutine_threadsafe(connect(), self._loop).result()

    def send(self, session_id: str, message: BackMsg) -> None:
        """Hand a message of a session's client to the runtime."""
        self._loop.call_soon_threadsafe(self._runtime.handle_backmsg, session_id, message)
