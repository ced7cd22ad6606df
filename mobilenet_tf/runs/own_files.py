"""Which folders are runs, which of their files this project wrote, and what must not be there."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import PARTIAL_PREFIX, read_json, read_toml
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.ownership import EXPORT, read_marker, remove_export
from mobilenet_tf.runs.result import read_result

TRIALS = "sensitivity.json"  # what `runs/sensitivity.py` keeps beside the checkpoints
# The fields by which the configurations of runs (versions 1 and 2) and searches are recognised.
_CONFIGS = (
    {"source", "model", "recipe", "int8"},
    {"data", "network", "recipe", "int8"},
    {"data", "space", "recipe", "algorithm"},
)
_KINDS = ("run", "trial", "search", "comparison", "adaptation", "model")
_INNER_RUNS = ("trials/*", "finalists/*", "final", "run", "scratch")
_FOLDS = (  # trainings of `suspects` that an interrupted one continues
    *("suspects/fold_*/*.npz", "suspects/fold_*/*.csv"),
    *("suspects/fold_*/*/*/events.out.tfevents.*", f"suspects/fold_*/{PARTIAL_PREFIX}*"),
)
# The configuration goes first: what is left of a folder whose removal was interrupted is no run.
_WRITTEN = (
    *("config.toml", "result.json", "report.html", "MODEL_CARD.md", "labels.txt"),
    *("model_int8.tflite", "model_ptq_int8.tflite", "qat.keras", "float.keras"),
    *("checkpoints/*.npz", f"checkpoints/{TRIALS}", "worst/*.png", "heat_maps/*.png"),
    *("suspects/*.png", *_FOLDS),
    *("logs/*.csv", "logs/*/*/events.out.tfevents.*"),
    *("best.toml", "trials.png", "oracle/oracle.json", "oracle/tuner*.json"),
    "oracle/trial_*/trial.json",
    *("candidates.csv", "supernet/checkpoints/*.npz", "supernet/logs/*.csv"),
    "supernet/logs/*/*/events.out.tfevents.*",
    *("predictions.json", "comparison.csv", "comparison.md", "comparison.tex", "pareto.png"),
    *("adaptation.npz", "adapted.keras", "path.png"),
)


def is_ours(folder: Path) -> bool:
    """Return whether this project wrote a folder as a run, a model or what a search leaves.

    That is what its marker says; folders of earlier versions are recognised by their content.
    """
    marker = read_marker(folder)
    if marker is not None:
        return marker.kind in _KINDS
    with suppress(UserError):
        config = folder / "config.toml"
        if config.is_file():
            return any(fields <= read_toml(config).keys() for fields in _CONFIGS)
        result = folder / "result.json"
        return result.is_file() and read_result(result).source.model is not None
    return False


def visible(folder: Path) -> list[str]:
    """Return the names in a folder, without hidden ones such as `.gitkeep`."""
    if not folder.is_dir():
        return []
    return sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))


def remove_written(folder: Path) -> None:
    """Remove the files that this project writes into a folder of its own.

    Files of others stay, and so do the folders that they are in.

    Raises:
        UserError: A file cannot be removed, or another process is at work in a trial.
    """
    if not folder.is_dir():
        return
    for inner in sorted(one for pattern in _INNER_RUNS for one in folder.glob(pattern)):
        if inner.is_dir() and not inner.is_symlink() and is_ours(inner):
            with at_work(inner):
                remove_written(inner)
                (inner / ".mobilenet_tf.json").unlink(missing_ok=True)
            _remove_empty(inner)
    remove_exports(folder)
    _remove(folder, (*_WRITTEN, f"{PARTIAL_PREFIX}*", f"*/{PARTIAL_PREFIX}*"))
    for name in ("trials", "finalists"):
        _remove_empty(folder / name, folder)


def remove_folds(folder: Path) -> None:
    """Remove the trainings that `suspects` keeps in a run folder until it is finished.

    Raises:
        UserError: A file cannot be removed.
    """
    _remove(folder, _FOLDS)


def remove_exports(folder: Path) -> None:
    """Remove the exports for devices that are in a run folder, but no file that was changed."""
    for inner in sorted(folder.iterdir()):
        marker = read_marker(inner)
        if marker is not None and marker.kind == EXPORT:
            remove_export(inner)


def _remove(folder: Path, patterns: Iterable[str]) -> None:
    try:
        # In this order, and once: two patterns fit a checkpoint that is half written.
        for path in dict.fromkeys(_fitting(folder, patterns)):
            path.unlink()
            _remove_empty(path.parent, folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _fitting(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        for path in folder.glob(pattern):
            between = path.relative_to(folder).parents
            linked = any((folder / one).is_symlink() for one in between if one != Path())
            if not linked and (path.is_symlink() or path.is_file()):
                yield path


def _remove_empty(inner: Path, within: Path | None = None) -> None:
    while inner != within:
        with suppress(OSError):  # not empty, or absent
            inner.rmdir()
        if within is None:
            return
        inner = inner.parent


def require_whole_search(folder: Path) -> None:
    """Check the files in which keras-tuner keeps the state of a search.

    Raises:
        UserError: One is damaged.
    """
    for path in sorted((*folder.glob("oracle/*.json"), *folder.glob("oracle/trial_*/trial.json"))):
        try:
            whole = isinstance(read_json(path), dict)
        except UserError:
            whole = False
        if not whole:
            raise UserError(
                f"{path} is damaged; restore it, or use --overwrite to search again from the start."
            )


def require_apart(folder: Path, inputs: dict[str, str], *, overwrite: bool) -> None:
    """Check that a new folder neither holds an input nor lies in one, after resolving links.

    A folder among the images is no harm.

    Args:
        folder: The folder.
        inputs: Option -> the value given for it; values that are no files or folders, such as
            `digits`, are ignored.
        overwrite: Whether the content of the folder is replaced; the working directory must not
            be in it then.

    Raises:
        UserError: It does.
    """
    place = folder.resolve()
    for option, value in inputs.items():
        if value in ("", "none", "imagenet", "digits") or not Path(value).exists():
            continue
        given = Path(value).resolve()
        if given == place or place in given.parents:
            how = "is" if given == place else "holds"
        elif given in place.parents and option != "data":  # images are found without runs
            how = "lies in"
        else:
            continue
        raise UserError(
            f"--out {folder} {how} {value}, the {option} of this command; use --out for a folder "
            "outside of it."
        )
    here = Path.cwd()
    if overwrite and (here == place or place in here.parents):
        raise UserError(
            f"--out {folder} holds the working directory, so it is not overwritten; start the "
            "command elsewhere."
        )
