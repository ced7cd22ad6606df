"""Serve a page's folder on this machine, with the media types and headers that it needs."""

from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import read_marker

PORT = 8000
HOST, HOST_NAME = "127.0.0.1", "localhost"  # browsers allow a camera to both
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    "": "text/plain; charset=utf-8",
}
HEADERS = {
    # The page's own policy is in it; this one cannot be.
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_server(folder: Path, port: int = PORT) -> ThreadingHTTPServer:
    """Return a server of the files that an export wrote into a folder, and of no others.

    Args:
        folder: What `write_page` has written.
        port: The port; 0 takes a free one.

    Raises:
        UserError: The port is not from 0 to 65535, or in use; or the folder holds no export.
    """
    check_port(port)
    marker = read_marker(folder)
    if marker is None:
        raise UserError(f"{folder} holds no page; write it with `mobilenet-tf web`.")
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, folder, frozenset(marker.files)))
    except OSError as error:
        raise UserError(
            f"Port {port} cannot be used: {error.strerror}; try another --port."
        ) from error


def check_port(port: int) -> None:
    """Reject a number that is no port.

    Raises:
        UserError: It is not from 0 to 65535.
    """
    if not 0 <= port <= 65535:
        raise UserError(f"port is {port}; it must be from 0 to 65535.")


class _Handler(BaseHTTPRequestHandler):
    """Answers GET with a file of the folder."""

    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, names: frozenset[str], *rest: Any):
        self._folder, self._names = folder, names
        super().__init__(*rest)

    def handle(self) -> None:
        """Answer requests until the browser closes the connection, in whatever way."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Send a file that the export has written; anything else is not found."""
        name = unquote(urlsplit(self.path).path).removeprefix("/") or "index.html"
        try:
            content = (self._folder / name).read_bytes() if name in self._names else None
        except OSError:
            content = None
        status = HTTPStatus.NOT_FOUND if content is None else HTTPStatus.OK
        kind = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
        self._send(status, kind, b"Not found.\n" if content is None else content)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        lengths = {"Content-Type": kind, "Content-Length": str(len(content))}
        for header, value in (lengths | HEADERS).items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""
