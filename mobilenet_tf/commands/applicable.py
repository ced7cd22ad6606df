"""Which options of a command apply only under a condition; one that would be ignored is refused."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from mobilenet_tf.commands.needs import Values, is_run, require_needed
from mobilenet_tf.core.errors import UserError

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Rule:
    """A condition of some options.

    Attributes:
        options: Names of parameters, of the command line or of the Python function.
        holds: Whether the values of all parameters meet the condition.
        said: What errors say of an option while the condition is not met.
    """

    options: tuple[str, ...]
    holds: Callable[[Values], bool]
    said: str


def _is_run(values: Values) -> bool:
    return is_run(values["what"])


def _target(values: Values) -> str:
    target = values["target"]
    return str(getattr(target, "name", target))


def _for_cpu(values: Values) -> bool:
    return _target(values) == "cpu"


def _is_firmware(values: Values) -> bool:
    from mobilenet_tf.deployment.devices.targets import FIRMWARE  # not at every start

    return _target(values) in FIRMWARE


def _is_timed(values: Values) -> bool:
    """Whether the device, which two old options can name too, is timed on threads."""
    named = {values["device"], values.get("target")} - {None}
    return values.get("adb", False) or named <= {"cpu", "phone"}


def _sets_no(path: str) -> Callable[[Values], bool]:
    def holds(values: Values) -> bool:
        fields = values.get("fields") or ()
        return not any(field.partition("=")[0].strip() == path for field in fields)

    return holds


def _field(option: str, path: str) -> Rule:
    said = f"is the field {path} of the recipe, which --set changes too; give one of them"
    return Rule((option,), _sets_no(path), said)


# What a config.toml determines.
_SETTINGS = (
    *("data", "model", "alpha", "size", "channels", "recipe", "fields", "epochs", "qat_epochs"),
    *("batch", "seed", "weights", "teacher", "teacher_labels", "io", "per_tensor"),
    *("deterministic", "factorize", "task", "task_options", "pairs", "fit", "front_end"),
    *("group_by", "find_duplicates", "class_order", "compress", "max_flash"),
)
_ONE_OF_TWO = Rule(
    ("overwrite",), lambda values: not values["resume"], "cannot be combined with --resume"
)
_ONE_PREPARATION = Rule(
    ("fit",),
    lambda values: values.get("front_end") is None,
    "cannot be combined with --for, which decides it",
)
_ON_A_DEVICE = ("max_flash", "max_ram", "max_latency", "max_instructions")


def _measured_on(*others: str) -> Rule:
    """Return the rule that --device applies only to limits that depend on it, and to `others`."""
    names = (*others, *_ON_A_DEVICE)
    *flags, last = (f"--{name.replace('_', '-')}" for name in names)
    return Rule(
        ("device",),
        lambda values: any(values.get(name) for name in (*names, "max_size")),
        f"applies only to {', '.join(flags)} and {last}",
    )


_TO_INT8 = (
    _field("compress", "compress"),
    _field("max_flash", "max_flash"),
    _field("qat_epochs", "qat.epochs"),
)
_NEW_RUN = (
    Rule(
        _SETTINGS,
        lambda values: values.get("config") is None,
        "cannot be combined with --config, which determines every setting; only --out, "
        "--overwrite, --resume, --strategy, --dry-run, --trust-code and --corrections can",
    ),
    _field("epochs", "train.epochs"),
    *_TO_INT8,
    _field("batch", "batch"),
    _field("deterministic", "deterministic"),
    _ONE_PREPARATION,
    Rule(
        ("out", "overwrite", "resume", "strategy"),
        lambda values: not values.get("dry_run"),
        "cannot be combined with --dry-run, which keeps nothing and trains on one device",
    ),
    _ONE_OF_TWO,
)
RULES: dict[str, tuple[Rule, ...]] = {
    "run": _NEW_RUN,
    "train": _NEW_RUN,
    "quantize": _TO_INT8,
    "export": (
        Rule(
            ("data", "mean", "std", "labels", "seed", "trust_code", "per_tensor", "fields"),
            lambda values: not _is_run(values) and _for_cpu(values),
            "applies only to models that are not runs, and to --target cpu",
        ),
        Rule(
            ("model",),
            lambda values: values["what"] is None and _for_cpu(values),
            "cannot be combined with a run or a model file, and applies only to --target cpu",
        ),
        Rule(
            ("alpha", "size", "weights"),
            lambda values: values["model"] is not None,
            "applies only to a network of the zoo; give its name with --model",
        ),
        Rule(("other",), _is_run, "applies only to runs"),
        Rule(("io",), _for_cpu, "applies only to --target cpu; other targets decide it"),
        Rule(("prefix",), _is_firmware, "applies only to --target mcu and c"),
        Rule(
            ("compress",),
            lambda values: _is_run(values) or not _for_cpu(values),
            "applies only to runs",
        ),
        Rule(
            ("max_flash", "max_ram", "max_arena", "budget"),
            lambda values: not _for_cpu(values),
            "applies only to --target mcu, c and NPUs",
        ),
        Rule(
            ("out", "overwrite"),
            lambda values: not (_for_cpu(values) and _is_run(values)),
            "applies only to targets other than cpu, and to models that are not runs",
        ),
    ),
    "predict": (
        Rule(("form",), lambda values: not values["as_json"], "cannot be combined with --json"),
        Rule(("explain",), lambda values: not values["form"], "cannot be combined with --format"),
    ),
    "evaluate": (
        Rule(
            ("mean", "std", "labels"),
            lambda values: not _is_run(values),
            "applies only to a .tflite file; a run has its own",
        ),
        Rule(
            ("seed",),
            lambda values: not _is_run(values) or values["data"] or values["robustness"],
            "applies only to --data and --robustness; a run has its own split",
        ),
        Rule(
            ("robustness", "other"),
            lambda values: values.get("front_end") is None,
            "cannot be combined with --as, which compares two ways of preparing pictures",
        ),
    ),
    "summary": (
        Rule(
            ("alpha",),
            lambda values: bool(values.get("name") or values.get("network")),
            "applies only to a network; give its name",
        ),
    ),
    "tune": (
        _ONE_PREPARATION,
        _measured_on(),
        _field("epochs", "train.epochs"),
        _ONE_OF_TWO,
    ),
    "search": (
        _ONE_PREPARATION,
        _measured_on("target_latency"),
        Rule(
            ("judge_epochs", "judge_size"),
            lambda values: values["judge"] != "macs",
            "does not apply to --judge macs, which trains nothing",
        ),
        Rule(
            ("reward",),
            lambda values: values["max_latency"] or values["target_latency"],
            "weighs the latency; give --max-latency or --target-latency",
        ),
        _field("epochs", "train.epochs"),
        _field("qat_epochs", "qat.epochs"),
        _ONE_OF_TWO,
    ),
    "adapt": (
        _measured_on("to"),
        _field("epochs", "train.epochs"),
        _ONE_OF_TWO,
    ),
    "compare": (
        _ONE_PREPARATION,
        _measured_on(),
        Rule(
            ("qat_epochs",),
            lambda values: not values["float_only"],
            "cannot be combined with --float-only",
        ),
        _field("epochs", "train.epochs"),
        _field("qat_epochs", "qat.epochs"),
        _ONE_OF_TWO,
    ),
    "choose": (
        Rule(("trials",), lambda values: values.get("data", True), "trains on images; give --data"),
        Rule(
            ("epochs", "out"), lambda values: values["trials"], "applies only to --trials"
        ),
        Rule(("threads",), _is_timed, "applies only to --device cpu and phone"),
        Rule(("overwrite",), lambda values: values["plot"], "applies only to --plot"),
    ),
    "data": (Rule(("overwrite",), lambda values: values["html"], "applies only to --html"),),
    "web": (Rule(("port",), lambda values: values["serve"], "applies only to --serve"),),
    "benchmark": (
        Rule(("threads", "rounds"), _is_timed, "applies only to --device cpu and phone"),
    ),
}  # fmt: skip


# Parameters whose option has another name.
_OPTIONS = {"fields": "set", "form": "format", "front_end": "for"}


def check_use(command: str, given: Collection[str], values: Values) -> None:
    """Reject an option that a command would not use, and a use that lacks a package.

    Args:
        command: The command's name.
        given: Names of the parameters that the user gave.
        values: Name -> value of all parameters.

    Raises:
        UserError: One of them does not apply to what the others ask for, or a package is absent.
    """
    for rule in RULES.get(command, ()):
        ignored = [name for name in rule.options if name in given]
        if ignored and not rule.holds(values):
            name = _OPTIONS.get(ignored[0], ignored[0])
            raise UserError(f"--{name.replace('_', '-')} {rule.said}.")
    require_needed(command, values)


def applicable(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let the Python function of a command refuse arguments as its options are refused.

    An argument that equals its default counts as not given.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        defaults = {name: known.default for name, known in signature.parameters.items()}
        given = [name for name, value in bound.arguments.items() if value != defaults[name]]
        check_use(function.__name__, given, bound.arguments)
        return function(*args, **kwargs)

    return checked
