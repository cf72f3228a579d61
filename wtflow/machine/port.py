"""Whether the app can be opened on a port: `python -m wtflow.machine.port PORT`, which `make app` runs first;
`wtflow-studio` asks, too.
"""

import errno
import socket
import sys

HOST = "127.0.0.1"
"""Where the app listens; `.streamlit/config.toml` says so, too."""


def why_not(text: str, name: str = "PORT", again: str = "make app PORT=", host: str = HOST) -> str:
    """What is wrong with a port that a person gave as `name`, and what to do, in a sentence or two; empty for a good
    one. again: what they type before a port. host: the address that is to be listened on.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 65_535):
        return f"{name} is {text[:40]!r}, not a number from 1 to 65535. Try: {again}8502"
    # As Tornado binds: the port of a server that has just ended is free again.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as one:
        if sys.platform != "win32":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, int(text)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"Port {text} is in use: perhaps the app is open already at http://localhost:{text}. For a second"
                    f" one: {again}{int(text) + 1 if int(text) < 65_535 else 8502}"
                )
            if error.errno == errno.EACCES:
                return f"Port {text} is kept for the system. Choose one above 1023: {again}8502"
            return f"Port {text} cannot be opened ({error.strerror}). Try: {again}8502"
    return ""


def main() -> int:
    """Exit codes: 0 the port can be used, 2 it cannot; then the reason is on stderr."""
    reason = why_not(sys.argv[1] if len(sys.argv) > 1 else "")
    if reason:
        sys.stderr.write(f"{reason}\n")
    return 2 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
