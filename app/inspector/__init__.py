"""The right side: the correction's sliders, and the maps inside it."""
