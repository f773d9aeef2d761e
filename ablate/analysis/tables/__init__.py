"""Anybody's table of scores -> what differs in it: `compare`, and the errors of its differences."""
