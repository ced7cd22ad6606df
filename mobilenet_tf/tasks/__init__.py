"""What networks are for: a task is a value, and everything else asks it.

task.py            the protocol, in plain Python and NumPy
objective.py       the protocol of its training
registry.py        all tasks by name, and `[task]` of a configuration
agreement.py       how far two executions of a network decide the same
classification.py  one class per picture
cross_entropy.py   how that is trained
scores.py          checks of scores, and their calibration

Only objective.py and cross_entropy.py import TensorFlow.
"""
