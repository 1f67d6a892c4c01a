"""Small widgets, one noun a file, that know nothing of clips or corrections."""
