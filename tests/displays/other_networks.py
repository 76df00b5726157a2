"""The displays of `other_networks`."""

from displays import witness
from lnn.symbolic import mirror


@witness("eq-hyperbolic")
def entropy(draw):
    w, alpha = draw.between(0.5, 2, 2)
    value = mirror.hyperbolic_entropy().subs({mirror.w: w, mirror.alpha: alpha})
    return {"w": w, r"\alpha": alpha, r"q_\alpha(w)": value}


@witness("thm-hyperbolic-entropy 3")
def split_entropy(draw):
    w, alpha = draw.between(0.5, 2, 2)
    value = mirror.hyperbolic_entropy().subs({mirror.w: w, mirror.alpha: alpha})
    return {"w": w, r"\beta": alpha**2, r"q_\alpha(w)": value}
