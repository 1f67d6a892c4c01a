"""The pictures: original and corrected, side by side or wiped, under one zoom."""
