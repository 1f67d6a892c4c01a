"""The keys: which do what, the sheet of them, and how they are changed."""
