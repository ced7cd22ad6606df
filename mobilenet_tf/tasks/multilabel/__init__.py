"""Several labels per picture, each of which a picture has or has not.

task.py       metrics, decisions, answers
scores.py     average precision and thresholds of one label
objective.py  binary cross-entropy (imports TensorFlow)
"""
