"""Old names, kept for one edition: flow and descent over the factors of a tensor, which now take a `model`."""

from functools import partial

from lnn import descent, flow
from lnn.models import tensor

gradient_flow = partial(flow.gradient_flow, model=tensor)
gradient_descent = partial(descent.gradient_descent, model=tensor)
