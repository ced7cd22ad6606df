"""Inputs that users reported or strangers crafted, tried on the command line alone."""
