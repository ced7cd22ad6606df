"""Sources of images, chosen by `load.load_data`.

folder.py   a folder with a folder of images per class; listing.py lists its files
digits.py   the handwritten digits that are part of scikit-learn
tfds.py     datasets of tensorflow-datasets
decoded.py  build a dataset from images that a library has decoded
labels.py   pictures with several labels; label_files.py reads tables and folders of links
places.py   pictures with the places where they were taken; exif_position.py reads EXIF
table.py    tables of picture files; file_index.py finds the files that they name
"""
