"""`adapt`: narrow a trained network until it is within a budget, and train the result."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import as_run, require_same_device, start_tensorflow
from mobilenet_tf.commands.outcomes.searches import AdaptedNetwork
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_atomically, write_json
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.progress import overall
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.core.terminal import say
from mobilenet_tf.deployment.devices.tables import budget_table
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.adaptation import Adaptation, adapted_layers
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.own_files import require_apart
from mobilenet_tf.runs.provenance import fingerprint, require_current
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.trial import trial_accuracy, validation_accuracy
from mobilenet_tf.selection.cost import Cost, CostTable, check_budget
from mobilenet_tf.selection.netadapt import State, start
from mobilenet_tf.selection.netadapt import adapt as narrow
from mobilenet_tf.selection.netadapt_proposals import Proposer
from mobilenet_tf.selection.netadapt_settings import AdaptSettings
from mobilenet_tf.training.recipe import Recipe

STATE, _WEIGHTS, _PLOT = "adaptation.npz", "adapted.keras", "path.png"
_SUFFIX = "_adapted"
_BRIEF_RATE = 0.25  # learning rate of brief trainings: a share of that of the final training


@applicable
def adapt(
    run: Run | str | Path,
    settings: AdaptSettings,
    *,
    recipe: Recipe | None = None,
    from_scratch: bool = False,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> AdaptedNetwork:
    """Narrow the network of a run until it is within a budget, then train the result.

    The folder then has `run/`, a run of the adapted network whose training began with the weights
    that were kept; `scratch/`, the same from random weights, if asked for; `path.png`;
    `result.json` with every step; and `adapted.keras`, the network before that training.

    Args:
        run: A run with a trained float network, or its folder.
        settings: Budget, device and steps.
        recipe: Recipe of the training at the end; the run's by default. No layers are frozen.
        from_scratch: Whether to train the adapted network from random weights too.
        out: The folder; the run's with `_adapted` appended by default.
        overwrite: Replace an earlier adaptation in the folder.
        resume: Continue an earlier adaptation in the folder, if there is one.

    Raises:
        UserError: The folder is in use and neither `overwrite` nor `resume` is set, or it belongs
            to other settings; the network is within the budget already or cannot reach it; or
            training diverged.
    """
    source = as_run(run, "float.keras")
    if not source.task.narrowed:
        raise UserError(
            f"{source.folder.path} is a run of the task {source.task.name}; adapt narrows image "
            "classifiers."
        )
    require_current(source.folder, "float.keras")
    place = source.folder.path
    folder = RunFolder(out or place.with_name(f"{place.name}{_SUFFIX}"))
    recipe = (recipe or source.settings.recipe).unfrozen()
    with at_work(folder.path):
        work = _Work(source, settings, recipe, folder)
        began = work.begin(overwrite=overwrite, resume=resume)
        start_tensorflow()
        return work.finish(work.narrow(began), began, from_scratch)


@dataclass(frozen=True)
class _Start:
    """What is known before the first step, as `result.json` keeps it."""

    device: str
    measured_on: str
    limits: dict[str, float]
    before: Cost


@dataclass(frozen=True)
class _Work:
    """An adaptation in its folder, which is locked."""

    source: Run
    settings: AdaptSettings
    recipe: Recipe
    folder: RunFolder

    @property
    def path(self) -> Path:
        return self.folder.path

    def config(self) -> dict[str, Any]:
        """Return the content of `config.toml`."""
        return {
            "run": str(self.source.folder.path.resolve()),
            "fingerprint": fingerprint(self.source.folder.float_model) or "",
            "adaptation": self.settings.to_dict(),
            "recipe": self.recipe.to_dict(),
        }

    @cached_property
    def table(self) -> CostTable:
        """The costs that the budget limits.

        There is one table, because measurements that are not cached on disk are kept in it.

        Raises:
            UserError: The device is unknown, or the budget limits a cost that it does not have.
        """
        table = budget_table(self.settings.needed, self.settings.device)
        check_budget(self.settings.budget, table)
        return table

    def begin(self, *, overwrite: bool, resume: bool) -> _Start:
        """Make the folder of an adaptation, or check that an earlier one can be continued."""
        folder, source = self.folder, self.source
        begun, table = folder.config_file.is_file(), self.table
        if begun and resume:
            folder.require_same(self.config())
            began = self._started(table)
            if began is not None:
                return began
        inputs = {"run": str(source.folder.path), "data": source.settings.data}
        require_apart(folder.path, inputs, overwrite=overwrite)
        folder.require_free(overwrite or (begun and resume))
        with activity_progress() as progress:
            table.measure([source.network], progress)
        before = table.cost(source.network)
        budget = self.settings.limits(before)
        if not budget.exceeded(before):
            raise UserError(
                f"{source.folder.path} is within the budget already: {budget.compare(before)}."
            )
        _ = source.data  # images that have changed must not cost an earlier adaptation
        folder.clear("adaptation")
        folder.write_config(self.config())
        began = _Start(table.device, table.measured_on, budget.limits, before)
        write_json(folder.result_file, {"start": to_plain(began)})
        return began

    def _started(self, table: CostTable) -> _Start | None:
        """Return what `result.json` says of the start; None if the adaptation has not begun.

        Raises:
            UserError: The file is damaged, or costs were measured on something else.
        """
        file = self.folder.result_file
        if not file.is_file():
            return None
        try:
            found: _Start = from_plain(_Start, read_json(file)["start"], "start")
        except (UserError, KeyError, TypeError) as error:
            raise UserError(
                f"{file} is damaged; restore it, or use --overwrite to adapt again."
            ) from error
        require_same_device(self.path, found.measured_on, table.measured_on, "adapt")
        return found

    def narrow(self, began: _Start) -> State:
        """Narrow the network until it is within the budget; continue where a kill interrupted."""
        from mobilenet_tf.datasets.pipeline import calibration_images
        from mobilenet_tf.datasets.set_aside import set_aside
        from mobilenet_tf.runs.models import load_float
        from mobilenet_tf.selection.netadapt_state import load_state, save_state
        from mobilenet_tf.training.short import ShortTraining
        from mobilenet_tf.training.statistics import adopt_statistics
        from mobilenet_tf.training.strategy import training_scope
        from mobilenet_tf.training.transfer import phases

        settings, source, file = self.settings, self.source, self.path / STATE
        with training_scope("none", settings.seed, self.recipe.deterministic):
            if file.is_file():
                state = load_state(file, source.network)
            else:
                model = load_float(source.folder)
                count = self.recipe.calibration
                few = calibration_images(source.data.train, source.network, count, settings.seed)
                adopt_statistics(model, few)
                held = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
                state = start(_renamed(source.network), held)
            (last,) = phases(self.recipe)
            images = source.data.train, settings.aside, settings.seed, source.network.input
            learned, aside = set_aside(*images)
            trainer = ShortTraining(
                source.task,
                self.recipe,
                batches=settings.batches,
                learning_rate=settings.learning_rate or _BRIEF_RATE * last.stage.learning_rate,
                learned=learned,
                aside=aside,
                seed=settings.seed,
            )
            budget = settings.limits(began.before)
            proposer = Proposer(settings, budget, self.table)

            def save(now: State) -> None:
                save_state(file, now)
                done, best = len(now.steps), now.steps[-1].best
                seconds = sum(step.seconds for step in now.steps) / done
                text = f"{best.change}, accuracy {best.accuracy:.1%}, {budget.compare(best.cost)}"
                say(overall(done, max(settings.steps, done), seconds, text))

            return narrow(state, proposer, trainer, save, activity_progress)

    def finish(self, state: State, began: _Start, from_scratch: bool) -> AdaptedNetwork:
        """Train the adapted network, and write and return what `adapt` returns."""
        import tf_keras as keras

        from mobilenet_tf.networks.keras_model import build_network
        from mobilenet_tf.runs.models import saving
        from mobilenet_tf.selection.tradeoff import draw_path

        keras.backend.clear_session()
        model = build_network(state.network)
        for name, arrays in state.weights.items():
            model.get_layer(name).set_weights(arrays)
        weights, plot = self.path / _WEIGHTS, self.path / _PLOT
        if not weights.is_file():
            write_atomically(weights, saving(model, self.source.classes))
        draw_path(began.before, state.steps, self.settings.limits(began.before), plot)
        trained = {"run": self._train(state, began, str(weights))}
        if from_scratch:
            trained["scratch"] = self._train(state, began, "none")
        before = validation_accuracy(self.source.result())
        # No steps: measured again, after a kill, the network was within the budget.
        after = state.steps[-1].best.cost if state.steps else began.before
        result = AdaptedNetwork(
            to_plain(began),
            after=after.to_dict(),
            steps=len(state.steps),
            validation={"before": before, **trained},
            run=str(self.path / "run"),
            plot=str(plot),
        )
        write_json(
            self.folder.result_file,
            {"start": to_plain(began), "path": to_plain(state.steps), "result": result},
        )
        return result

    def _train(self, state: State, began: _Start, weights: str) -> float:
        """Train the adapted network as a run of its own; return its validation accuracy."""
        import tf_keras as keras

        scratch = weights == "none"
        folder = self.path / ("scratch" if scratch else "run")
        settings = replace(
            self.source.settings, network=state.network, recipe=self.recipe, weights=weights
        )
        keras.backend.clear_session()
        with at_work(folder):
            run = begin(settings, out=folder, resume=True, dataset=self.source.data)
            adaptation = replace(self._adaptation(state, began), from_scratch=scratch)
            run.folder.update_result(adaptation=adaptation)
            return trial_accuracy(run)

    def _adaptation(self, state: State, began: _Start) -> Adaptation:
        return Adaptation(
            source=str(self.source.folder.path.resolve()),
            device=began.device,
            measured_on=began.measured_on,
            limits=began.limits,
            before=began.before,
            path=tuple(step.best for step in state.steps),
            layers=adapted_layers(self.source.network, state),
        )


def _renamed(network: Network) -> Network:
    """Return a network under the name of an adapted one."""
    if network.name.endswith(_SUFFIX):
        return network
    return replace(network, name=f"{network.name}{_SUFFIX}")
