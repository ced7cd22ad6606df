"""Files that describe what is where in pictures.

load.py   from any of these formats to a dataset
boxes.py  what every reader returns, and how boxes are repaired
files.py  the files of a folder
voc.py    Pascal VOC's XML
coco.py   COCO's JSON
yolo.py   YOLO's text files
table.py  CSV tables
"""
