"""Time: the transport under the picture, and the lanes of luma and flicker."""
