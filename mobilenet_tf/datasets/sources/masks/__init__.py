"""Pictures with a class for every pixel.

load.py     the sources: scenes of digits, folders with masks, folders with COCO's outlines
listing.py  which mask belongs to which picture
code.py     which class a value or a colour of a mask means
outlines.py COCO's outlines and run lengths
"""
