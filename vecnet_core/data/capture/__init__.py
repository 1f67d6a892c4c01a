"""Pairs from own recordings: two films of one scene, brought together in time and place."""
