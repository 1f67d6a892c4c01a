"""What is measured on frames and clips: light, closeness to a reference, and flicker over time (NumPy and numba)."""
