"""Inputs that users reported or strangers crafted, tried on the command line alone.

The command line is all that these tests know of the program, besides helpers that write samples, so
the folder can be copied into an older tree and run there. A test belongs here if it failed in the
version for which the report was made. Where one input of a kind had already worked in that version,
the test has others beside it that had not.
"""
