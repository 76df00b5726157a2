"""What the rest stands on: input validation, solvers of differential equations, fast gradients."""
