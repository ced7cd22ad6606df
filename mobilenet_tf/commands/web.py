"""`web`: a page that runs a model in the browser."""

from pathlib import Path

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.outcomes.devices import WebPage
from mobilenet_tf.core.terminal import say
from mobilenet_tf.deployment.devices.web.folder import TARGET, write_page
from mobilenet_tf.deployment.devices.web.server import HOST_NAME, PORT, check_port, page_server
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.provenance import require_current


@applicable
def web(
    source: str | Path,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    serve: bool = False,
    port: int = PORT,
) -> WebPage:
    """Write a static page that runs a model on camera frames and pictures, offline.

    Args:
        source: A run folder, or a `.tflite` file.
        out: Folder of the page; None takes `web` beside the model.
        overwrite: Whether to replace another export in the folder.
        serve: Whether to serve the page on this machine until it is interrupted.
        port: Port of the server; 0 takes a free one.

    Raises:
        UserError: The page cannot show the model; LiteRT.js cannot be fetched; files would be
            lost; or the port cannot be used.
    """
    check_port(port)
    file, origin = _model(Path(source))
    folder = file.parent / TARGET if out is None else Path(out)
    facts = WebPage(write_page(file, folder, origin, overwrite=overwrite))
    if serve:
        with page_server(folder, port) as server:
            say(f"{folder} is at http://{HOST_NAME}:{server.server_port}/ until Ctrl-C.")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                say("")
    return facts


def _model(source: Path) -> tuple[Path, str]:
    """Return the model's file, and the identity of its run."""
    if not source.is_dir():
        return source, ""
    folder = RunFolder.open(source, "model_int8.tflite")
    require_current(folder, "model_int8.tflite")
    return folder.tflite, folder.identity
