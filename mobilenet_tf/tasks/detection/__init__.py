"""Object detection.

task.py               boxes with a class each
boxes.py              geometry: overlap, suppression of duplicates, offsets from anchors
anchors.py            the boxes from which offsets are measured
decoding.py           from raw outputs to boxes
average_precision.py  as COCO measures it
errors.py             metrics, confusion with background, worst pictures
objective.py          how detectors are trained; the only module with TensorFlow
"""
