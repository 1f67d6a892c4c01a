"""The network: the paper's three parts, one file each, and VECNet that joins them."""
