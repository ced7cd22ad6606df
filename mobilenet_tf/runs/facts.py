"""The sections of `result.json` that are known before training."""

from dataclasses import asdict
from typing import Any

from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network


def model_facts(network: Network) -> dict[str, Any]:
    """Return the section `model`."""
    totals = asdict(count(network))
    return {
        "name": network.name,
        "alpha": network.alpha,
        "input": network.input.to_dict(),
        "classes": network.classes,
        **{name: totals[name] for name in ("parameters", "macs", "peak_activation_bytes")},
    }


def data_facts(dataset: Dataset) -> dict[str, Any]:
    """Return the section `data`."""
    return {
        "source": dataset.source,
        "classes": list(dataset.classes),
        "train": len(dataset.train),
        "validation": len(dataset.validation),
        "test": len(dataset.test),
        "skipped": dataset.skipped,
        "repaired": dataset.repaired or None,
        "notes": dataset.notes or None,
        "fingerprint": dataset.fingerprint,
    }
