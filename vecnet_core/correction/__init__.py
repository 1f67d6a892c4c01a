"""The correction: windows of frames to compact analyses, analyses to corrected frames."""
