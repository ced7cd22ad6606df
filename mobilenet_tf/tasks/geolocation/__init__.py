"""Where on earth a picture was taken, as a choice among cells (PlaNet, arXiv 1602.05314).

task.py       metrics, decisions, answers
cells.py      the earth in cells of the library H3
objective.py  cross-entropy of cells (imports TensorFlow)
"""
