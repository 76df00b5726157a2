"""Convex programs that the implicit regularization is compared with: least nuclear norms of matrices and unfoldings."""
