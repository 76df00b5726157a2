"""Models other than layers: other ways to write one matrix or tensor by a tuple of factors."""
