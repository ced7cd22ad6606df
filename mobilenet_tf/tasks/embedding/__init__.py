"""Embedding: a vector per picture, near those of the same class, seen in training or not.

task.py            the task
data.py            which classes are trained, and which are kept for testing
similarity.py      retrieval and verification
metrics.py         both as metrics, tables and charts
gallery.py         names with vectors, in a file
objective.py       what all ways of training share
margin_softmax.py  ArcFace and CosFace
triplets.py        triplets with semi-hard negatives

The last three import TensorFlow.
"""
