"""The commands: one Python call each, with the command's name, in a module of that name.

They wire the other packages together and write run folders. The command line only parses
options, calls them and prints what they return.
"""
