"""The command line: parses options, calls the commands and prints what they return."""
