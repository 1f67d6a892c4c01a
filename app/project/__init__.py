"""The project: the list of its clips, its file, its presets, and what is kept of it against crashes."""
