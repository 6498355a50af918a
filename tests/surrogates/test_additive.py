"""The additive surrogate: sums over what is laid are learned from few, and what adds nothing is left to the smooth part."""

import numpy as np
from scipy.optimize import check_grad

from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.core.space import Space
from netwright.surrogates import additive
from netwright.surrogates.additive import Additive
from netwright.surrogates.encode import encoded
from netwright.surrogates.gp import Gp
from netwright.testing.playing import SPACES


def drawn(space: Space, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes, and a time that every node takes its part of, needed or not."""
    found = {a.trace: a for a in (sample(space, stream(0, n, "members")) for n in range(10 * count))}
    members = [*found.values()][:count]
    took = {"conv3": 5.0, "conv1": 2.0, "pool": 1.0, "identity": 0.5}
    return encoded(space, "laid")(members), np.array([sum(took.get(n.op, 0.1) for n in a.nodes) for a in members])


def test_a_sum_over_what_is_laid_is_known_after_twenty() -> None:
    x, y = drawn(SPACES["cell"], 120)
    model, smooth = Additive(0), Gp(0)
    model.fit(x[:20], y[:20])
    smooth.fit(x[:20, 0], y[:20])
    off, smooth_off = (np.sqrt(np.mean((m.predict(c).mean - y[20:]) ** 2)) for m, c in ((model, x[20:]), (smooth, x[20:, 0])))
    assert off < 0.1 * y.std()
    assert off < 0.3 * smooth_off


def test_its_slopes_are_those_of_its_loss() -> None:
    x, y = drawn(SPACES["cell"], 15)
    products = [x[:, k].astype(float) @ x[:, k].T / 5.0 for k in (0, 1)]
    told = additive._apart(products[0]), products, (y - y.mean()) / y.std()
    prior = np.append(additive._PRIOR, 0.3)
    loss = [lambda theta, k=k: additive._loss(theta, *told, prior)[k] for k in (0, 1)]
    assert check_grad(*loss, prior + 0.2) < 1e-3


def test_more_of_the_same_or_others_are_as_if_told_at_once() -> None:
    x, y = drawn(SPACES["wired"], 60)
    step, once = Additive(0), Additive(0)
    step.fit(x[:20], y[:20])
    once.fit(x[:20], y[:20])
    pool = x[30:]
    step.predict(pool)
    step.update(x[:25], y[:25])
    step.predict(pool)
    step.update(np.concatenate([x[:22], x[26:30]]), np.concatenate([y[:22], y[26:30]]))
    once.update(np.concatenate([x[:22], x[26:30]]), np.concatenate([y[:22], y[26:30]]))
    for name in ("mean", "std"):
        assert np.allclose(getattr(step.predict(pool), name), getattr(once.predict(pool), name), atol=1e-6)
