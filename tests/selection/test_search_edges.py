"""A search at its edges: half an environment, an odd space, nothing learned, little to try."""

import json
from dataclasses import replace

import pytest

from mobilenet_tf.commands import choose as choosing
from mobilenet_tf.commands import tune as tuning
from mobilenet_tf.commands.tune import tune, write_outcome
from mobilenet_tf.core.errors import Diverged, UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.selection.search_environment import check_environment
from mobilenet_tf.selection.search_settings import SearchSettings, new_trials
from mobilenet_tf.selection.tuning_space import load_space
from mobilenet_tf.training.cluster import check_strategy
from mobilenet_tf.training.recipe import load_recipe

RECIPE = load_recipe("small_data")
NETWORKS = 'model = ["v1"]\nalpha = [0.25]\nsize = [32]\n'


def space(tmp_path, text):
    file = tmp_path / "space.toml"
    file.write_text(text)
    return load_space(file, RECIPE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train.weight_decay = {min = 0.1, max = 1.0, log = 'false'}", "log is 'false'; it must"),
        ("train.weight_decay = {min = 0.1, max = 1.0, log = 1}", "log is 1; it must be true or"),
        ("train.weight_decay = {}", "train.weight_decay is an empty table"),
        ("[train]", "train is an empty table"),
        ("train.decay.kind = {min = 'cosine', max = 'step'}", "min and max must be numbers"),
        ("train.weight_decay = {min = 0.1, max = inf}", "weight_decay is inf"),
    ],
)
def test_spaces_of_wrong_types(tmp_path, text, said):
    with pytest.raises(UserError, match=f"space.toml: .*{said}"):
        space(tmp_path, NETWORKS + text)


@pytest.mark.parametrize("line", ["model = [1]", "alpha = ['x']", "size = [32.5]", "size = [true]"])
def test_networks_of_wrong_types(tmp_path, line):
    name = line.split()[0]
    text = "".join(one for one in NETWORKS.splitlines(True) if not one.startswith(name))
    with pytest.raises(UserError, match=rf"space\.toml: {name} has"):
        space(tmp_path, f"{line}\n{text}")


def test_more_trials_than_configurations(tmp_path):
    few = space(tmp_path, NETWORKS + "batch = [8, 16]\ntrain.patience = {min = 1, max = 3}")
    assert few.configurations(1) == 6
    settings = SearchSettings(
        data="digits", input=InputSpec(32, 1), recipe=RECIPE, space=few, algorithm="random"
    )
    with pytest.raises(UserError, match="trials is 7, but the space has 6 configurations"):
        tune(settings, trials=7, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    endless = space(tmp_path, NETWORKS + "train.weight_decay = {min = 0.1, max = 0.2}")
    assert endless.configurations(1) == float("inf")


def counted(monkeypatch, score=0.5):
    """Let `tune` train nothing; return the list of trials that it asks for."""
    asked = []

    class Trainer:
        def __init__(self, settings, folder):
            pass

        def fingerprint(self, network):
            return ""

        def __call__(self, trial):
            asked.append(trial)
            if score is None:
                raise Diverged("The loss is not finite.")
            return score + int(trial.run) / 100

    monkeypatch.setattr(tuning, "_Trainer", Trainer)
    return asked


def small(tmp_path, algorithm, **others):
    few = space(tmp_path, NETWORKS + "batch = [8, 16]\ntrain.patience = {min = 1, max = 3}")
    return SearchSettings(
        data="digits",
        input=InputSpec(32, 1),
        recipe=RECIPE,
        space=few,
        algorithm=algorithm,
        **others,
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_a_whole_space(tmp_path, monkeypatch, algorithm, seed):
    """As many trials as there are configurations; what is asked for again is not trained again."""
    asked = counted(monkeypatch)
    tune(small(tmp_path, algorithm, seed=seed), trials=6, out=tmp_path / "out")
    values = {str(trial.fields): trial.run for trial in asked}
    assert len(asked) == 6
    assert len(set(values.values())) == len(values)
    if algorithm == "random":
        assert len(values) == 6
    first = {trial.run: trial for trial in reversed(asked)}
    for trial in asked:
        assert first[trial.run].number == trial.run
        assert first[trial.run].fields == trial.fields


def test_hyperband_needs_configurations_for_its_new_trials(tmp_path, monkeypatch):
    assert [new_trials(n) for n in (1, 4, 5, 7, 8, 10, 12, 15, 16, 30)] == [
        1, 4, 4, 4, 5, 7, 7, 10, 11, 20
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"trials is 12, 7 of them .* the space has 6 config"):
        tune(small(tmp_path, "hyperband"), trials=12, out=tmp_path / "out")
    asked = counted(monkeypatch)
    tune(small(tmp_path, "hyperband"), trials=9, out=tmp_path / "out")
    assert len(asked) == 9
    assert len({trial.run for trial in asked}) == new_trials(9)


def test_only_networks_within_the_budget_count(tmp_path):
    text = NETWORKS.replace("[0.25]", "[0.25, 1.0]") + "batch = [8, 16]"
    settings = replace(
        small(tmp_path, "random", budget=Budget(macs=10**6)), space=space(tmp_path, text)
    )
    with pytest.raises(UserError, match="the space has 2 configurations within the budget"):
        tune(settings, trials=3, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_every_trial_diverges(tmp_path, monkeypatch, algorithm):
    asked = counted(monkeypatch, score=None)
    with pytest.raises(UserError, match=r"None of the 5 trials of .* learned anything"):
        tune(small(tmp_path, algorithm), trials=5, out=tmp_path / "out")
    assert len(asked) == 5
    assert not (tmp_path / "out/best.toml").exists()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("oracle.json", "ongoing_trials"), 3),
        (("oracle.json", "hyperparameters"), None),
        (("oracle.json", "tried_so_far"), 1),
        (("trial_0/trial.json",), {}),
        (("trial_0/trial.json", "score"), "high"),
        (("trial_0/trial.json", "status"), []),
        (("trial_0/trial.json", "trial_id"), "../x"),
        (("trial_0/trial.json", "hyperparameters", "values"), {}),
        (("trial_0/trial.json", "hyperparameters", "values", "network"), "v9"),
        (("trial_0/trial.json", "hyperparameters", "values", "batch"), 10**9),
        (("trial_0/trial.json", "hyperparameters", "values", "train.patience"), "many"),
        (("trial_0/trial.json", "hyperparameters", "values", "tuner/trial_id"), "0"),
        (("trial_0/trial.json", "hyperparameters", "values", "tuner/epochs"), -5),
    ],
)
def test_a_damaged_state(tmp_path, monkeypatch, path, value):
    counted(monkeypatch)
    settings = small(tmp_path, "random")
    tune(settings, trials=2, out=tmp_path / "out")
    file = tmp_path / "out/oracle" / path[0]
    state = json.loads(file.read_text())
    inner = {"": state}
    for key in ("", *path[1:])[:-1]:
        inner = inner[key]
    inner[("", *path[1:])[-1]] = value
    file.write_text(json.dumps({"": state, **inner}[""] if len(path) > 1 else value))
    with pytest.raises(UserError, match=r"oracle.* is damaged; restore it, or use --overwrite"):
        tune(settings, trials=3, out=tmp_path / "out", resume=True)


def test_no_best_where_nothing_was_learned(tmp_path):
    settings = SearchSettings(
        data="digits", input=InputSpec(32, 1), recipe=RECIPE, space=space(tmp_path, NETWORKS)
    )
    rows = [{"trial": "0", "network": "x", "macs": 1, "validation_accuracy": 0.0, "fields": {}}]
    with pytest.raises(UserError, match=r"None of the 1 trials of .* learned anything"):
        write_outcome(settings, [], rows, RunFolder(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "variables",
    [
        {"KERASTUNER_ORACLE_IP": "127.0.0.1"},
        {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": "8000"},
        {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": "x",
         "KERASTUNER_TUNER_ID": "chief"},
        {"KERASTUNER_TUNER_ID": "worker"},
        {"KERASTUNER_ORACLE_IP": "", "KERASTUNER_ORACLE_PORT": "1", "KERASTUNER_TUNER_ID": "a"},
    ],
)  # fmt: skip
def test_half_an_environment(monkeypatch, variables):
    check_environment()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=r"KERASTUNER_\w+ is '.*'; a search on several machines"):
        check_environment()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "1", "null", "[]", '{"cluster": 1}', '{"cluster": {"worker": "ab"}, "task": '
        '{"type": "worker", "index": 0}}', '{"cluster": {"worker": [1]}, "task": {"type": '
        '"worker", "index": 0}}', '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", '
        '"index": Infinity}}', "[" * 100_000,
    ],
)  # fmt: skip
def test_damaged_cluster_settings(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=r"TF_CONFIG is .*; --strategy multiworker needs") as error:
        check_strategy("multiworker")
    assert len(str(error.value)) < 700


def test_the_data_decide_the_number_of_classes(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"")
    asked = []

    def selected(budget, table, *, task, classes, channels, progress):
        asked.append(classes)
        raise UserError("enough")

    monkeypatch.setattr(choosing.selection, "choose", selected)
    monkeypatch.setattr(choosing, "cost_table", lambda *_, **__: None)
    trials = choosing.Trials(data=str(tmp_path), count=1)
    for classes, given in ((None, trials), (None, None), (7, None)):
        with pytest.raises(UserError, match="enough"):
            choosing.choose(purpose=choosing.Purpose(classes=classes), trials=given)
    assert asked == [3, 10, 7]
    with pytest.raises(UserError, match=r"classes is 10, but .* has 3 classes"):
        choosing.choose(purpose=choosing.Purpose(classes=10), trials=trials)
