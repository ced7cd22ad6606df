"""Photos for sources of files."""

import pytest
from PIL import Image

from tests.datasets.sources.annotated import HIGH, WIDE


@pytest.fixture
def photos(pictures):
    """Write photos of 80x60 pixels at paths."""

    def write(*paths, size=(WIDE, HIGH), **options):
        for index, path in enumerate(paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[index % len(pictures)]).resize(size).save(path, **options)

    return write
