"""Writing the corrected clip: what to write, how far it is, and what came of it."""
