"""How a study stands, and what keeps its store in order."""
