"""Texts of annotations."""

WIDE, HIGH = 80, 60  # pixels of a photo


def voc(*objects, size=(WIDE, HIGH), filename="a.jpg", extra="") -> str:
    """Return an annotation; objects are (name, edges)."""
    boxes = "".join(
        f"<object><name>{name}</name>{extra}<bndbox>"
        + "".join(
            f"<{side}>{value}</{side}>"
            for side, value in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
        )
        + "</bndbox></object>"
        for name, edges in objects
    )
    return (
        f"<annotation><filename>{filename}</filename><size><width>{size[0]}</width>"
        f"<height>{size[1]}</height></size>{boxes}</annotation>"
    )
