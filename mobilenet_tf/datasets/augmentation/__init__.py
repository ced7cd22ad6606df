"""Random changes of training images.

draw.py         `Augmentation` (the strengths), and random numbers for a batch of images
randaugment.py  the operations of RandAugment, and random numbers for them
apply.py        apply the drawn changes to a batch
operations.py   apply RandAugment's operations on pixels to a batch

Changes are drawn with NumPy and applied with TensorFlow. draw.py and randaugment.py do not import
TensorFlow, so that recipes can hold an `Augmentation`.
"""
