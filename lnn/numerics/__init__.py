"""Input validation, RKC2 for stiff differential equations, fast gradients: what the other folders build on."""
