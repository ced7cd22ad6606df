"""What networks are for: a task is a value, and everything else asks it.

task.py            the protocol, in plain Python and NumPy
words.py           how texts speak of it
objective.py       the protocol of its training
registry.py        all tasks by name, and `[task]` of a configuration
agreement.py       how far two executions of a network decide the same
scores.py          checks of scores, and their calibration
classification/    one class per picture
multilabel/        several labels per picture
geolocation/       where on earth a picture was taken

Every task is a folder. Its objective is a module of its own, because only objectives import
TensorFlow.
"""
