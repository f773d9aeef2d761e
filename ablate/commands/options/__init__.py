"""The options that several commands have, each with what it opens."""
