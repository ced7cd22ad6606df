"""From what is on the disk to what a network is fed.

pictures.py      one picture -> uint8 pixels: the definition of preprocessing (no TensorFlow)
dataset.py       `Dataset`, and how pictures are shared out to train, validation and test
folder.py, digits.py, tfds.py   the sources; load.py chooses between them
augmentation.py, randaugment.py   random changes of training pictures, as numbers
changes.py       the same, done to a batch
stream.py        training pictures that are too many to keep
pipeline.py      `Split` or `Stream` -> tf.data batches
"""
