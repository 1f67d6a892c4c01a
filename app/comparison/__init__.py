"""An exported file beside its source: read again from the disk, the same frames, and nothing to edit."""
