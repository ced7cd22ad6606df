"""Several labels per picture, each of which a picture has or has not.

task.py       the task: labels, thresholds, decisions, answers
metrics.py    metrics of all labels, tables and charts
scores.py     average precision and thresholds of one label
objective.py  binary cross-entropy (imports TensorFlow)
"""
