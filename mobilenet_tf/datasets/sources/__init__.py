"""Sources of images, chosen by `load.load_data`.

folder.py   a folder with a folder of images per class; listing.py lists its files
digits.py   the handwritten digits that are part of scikit-learn
tfds.py     datasets of tensorflow-datasets
decoded.py  build a dataset from images that a library has decoded
"""
