"""Figures and animations of trajectories; they need matplotlib."""
