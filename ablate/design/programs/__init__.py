"""Suites of somebody's own program: their sections, their parameters as arms and axes."""
