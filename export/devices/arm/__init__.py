"""Phones' processors, emulated: LiteRT's AArch64 library runs files, and instructions are counted.

cores.py      the cores
library.py    LiteRT's AArch64 library, from its wheel
emulator.py   run files on a core, and count instructions
benchmark.py  compare files
"""
