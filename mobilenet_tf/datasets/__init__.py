"""Datasets: from image files to the batches that a network is trained and evaluated with.

images.py       read an image file as uint8 input pixels: the definition of preprocessing
deep.py         greys of more than 8 bits: one range for all images of a dataset
formats.py      which files are decoded at all, within which limits
headers.py      sizes in the headers of files, which are read before a decoder believes them
decoders.py     processes that decode files, which a file may crash
dataset.py      `Dataset` and `Split`: images in memory with their labels
splitting.py    assign images to the training, validation and test splits
storage.py      arrays that may be larger than memory
load.py         choose the source that a name stands for
contents.py     what a dataset holds, in one line
plain.py        images in which there is nothing to see
sources/        the sources: a folder, scikit-learn's digits, tensorflow-datasets
augmentation/   random changes of training images
batch_plan.py   which batches a run consists of, and which part of them a process makes
stream.py       training images that are decoded when they are needed
stream_check.py decode them once before, in a process that they may crash
pipeline.py     tf.data batches of a split or a stream
corruptions.py  damaged copies of test images, to measure robustness

Only stream.py, stream_check.py, pipeline.py and parts of augmentation/ import TensorFlow.
"""
