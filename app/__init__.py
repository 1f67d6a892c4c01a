"""The window: everything here shows or asks; what it shows is made by ``vecnet_core``."""
