"""Semantic segmentation: a class for every pixel.

task.py       the task
masks.py      from logits to masks: decoding, run lengths, overlays
scores.py     mIoU and its parts
objective.py  how it is trained; the only module that imports TensorFlow
"""
