"""Commands on what is there: how a suite stands, whether all is in order, what can go."""
