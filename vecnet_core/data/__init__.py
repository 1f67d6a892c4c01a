"""Training data: well-exposed scenes, and the badly exposed pairs made from them."""
