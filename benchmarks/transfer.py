"""What trained weights and a teacher are worth on few pictures: rows for the README.

python -m benchmarks.transfer DATA WEIGHTS [--seeds 3] [--out FOLDER]

DATA is a folder with a folder of pictures per class, WEIGHTS a file of V2 0.35. Each row is the
mean over the seeds, which also share out the pictures, and the spread from lowest to highest.
"""

from collections.abc import Callable
from pathlib import Path

from mobilenet_tf.data.dataset import Dataset, Split, balanced
from mobilenet_tf.job import Job, begin
from mobilenet_tf.models.zoo import model_spec
from mobilenet_tf.training.recipe import load_recipe

PER_CLASS = 10
EPOCHS = 40  # of 100 pictures: 160 steps
STUDENT_EPOCHS = 15
COLUMNS = ("network", "trained", "pictures", "epochs", "validation", "test")


def few(data: Dataset, seed: int) -> Dataset:
    """The same data with `PER_CLASS` training pictures of each class."""
    rows = balanced(data.train.labels, PER_CLASS * len(data.classes), seed)
    train = Split(
        data.train.pictures[rows], data.train.labels[rows], [data.train.names[row] for row in rows]
    )
    return Dataset(data.source, data.classes, train, data.validation, data.test)


def trained(job: Job, choose: Callable[[Dataset], Dataset] = lambda data: data) -> dict:
    """Float training of a job on chosen pictures, and how it did."""
    from mobilenet_tf.data.pipeline import evaluation_batches
    from mobilenet_tf.training.train import train

    data = job.__dict__["data"] = choose(job.data)
    model = train(job)
    figures = {}
    for part in ("validation", "test"):
        split = getattr(data, part)
        scores = model.predict(evaluation_batches(split, job.spec, 64), verbose=0)
        figures[part] = float((scores.argmax(1) == split.labels).mean())
    return figures


def transfer(source: str, weights: str, seed: int, out: Path) -> dict[str, dict]:
    """V2 0.35 on few pictures, with the same steps from random and from trained weights."""
    spec = model_spec("v2", 0.35, 96)
    rows = {}
    for name, start in (("small_data", "none"), ("transfer", weights)):
        recipe = load_recipe(name).with_fields({"train.epochs": EPOCHS})
        job = begin(out / f"{name}_{seed}", source, spec, recipe, start, seed)
        rows[f"recipe `{name}`"] = trained(job, lambda data: few(data, seed))
    return rows


def distillation(source: str, weights: str, seed: int, out: Path) -> dict[str, dict]:
    """V1 0.25 on all pictures, alone and taught by a V2 0.35 that began with trained weights."""
    teacher = out / f"teacher_{seed}"
    recipe = load_recipe("transfer").with_fields({"train.epochs": STUDENT_EPOCHS})
    rows = {}
    job = begin(teacher, source, model_spec("v2", 0.35, 96), recipe, weights, seed)
    rows["the teacher: V2 0.35, 96x96, recipe `transfer`"] = trained(job)
    recipe = load_recipe("small_data").with_fields({"train.epochs": STUDENT_EPOCHS})
    for name, of in (("alone", "none"), ("with the teacher", str(teacher))):
        job = begin(
            out / f"{name.replace(' ', '_')}_{seed}",
            source,
            model_spec("v1", 0.25, 64),
            recipe,
            seed=seed,
            teacher=of,
        )
        rows[name] = trained(job)
    return rows
