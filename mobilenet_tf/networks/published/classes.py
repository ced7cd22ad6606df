"""The classes of ImageNet, which the published weights tell apart."""

from functools import cache
from importlib import resources

IMAGENET_CLASSES = 1000
# Share of the picture that the published accuracies are measured on.
IMAGENET_CROP = 0.875


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the 1,000 class names of ILSVRC 2012 in the order of the published classifiers.

    They are the first words of the WordNet synsets; two words that name two classes each have an
    addition in brackets.
    """
    file = resources.files("mobilenet_tf.networks.published") / "imagenet_classes.txt"
    return tuple(file.read_text(encoding="utf-8").splitlines())
