"""Video in and out: colour conversion, an exact reader, and a writer that never leaves half a file."""
