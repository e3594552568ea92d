import numpy as np
import pytest

from speller.train.sweep import Sweep

RATES = np.geomspace(1e-6, 1, 300)


def curve(*, falls=1e-4, oscillates=1e-2, breaks=1e-1, noise=0.02):
    """A loss that falls by 2 over a factor of 10, from one rate on, leaps from another on, and breaks."""
    draw = np.random.default_rng(5)
    losses = -2 * np.clip(np.log10(RATES / falls), 0, 1)
    losses += noise * draw.standard_normal(len(RATES))
    losses[(oscillates < RATES) & (np.arange(len(RATES)) % 4 == 0)] += 1.5
    losses[breaks < RATES] = 3
    return Sweep(RATES, losses)


def rate(sweep, step):
    return pytest.approx(sweep.rates[step], rel=0.25)


def test_where_it_falls_oscillates_and_breaks():
    sweep = curve()
    assert rate(sweep, sweep.falls) == 1e-4 * 10**0.1
    assert sweep.rates[sweep.falls] < sweep.proposed < sweep.rates[sweep.lowest]
    assert rate(sweep, sweep.oscillates) == 1e-2
    assert rate(sweep, sweep.breaks) == 1e-1


def test_noise_changes_little():
    quiet, loud = curve(noise=0), curve(noise=0.15)
    for name in ("falls", "oscillates", "breaks"):
        assert rate(quiet, getattr(quiet, name)) == RATES[getattr(loud, name)]


def test_a_leap_before_the_fall_is_no_oscillation():
    sweep = curve()
    losses = sweep.losses.copy()
    losses[20] += 1
    leaping = Sweep(RATES, losses)
    assert leaping.rates[20] < leaping.rates[leaping.falls]
    assert leaping.oscillates == sweep.oscillates


def test_in_a_line():
    sweep = curve()
    rates = (sweep.proposed, *(sweep.rates[step] for step in (sweep.falls, sweep.oscillates, sweep.breaks)))
    told = [f"{rate:.1e}" for rate in rates]
    assert str(sweep) == "learning rate {}: the loss falls from {}, oscillates from {}, breaks from {}".format(*told)
    calm = curve(oscillates=2, breaks=2)
    assert (calm.oscillates, calm.breaks) == (None, None)
    assert str(calm).endswith(f"the loss falls from {calm.rates[calm.falls]:.1e}")


def test_the_proposed_rate():
    valley = Sweep(RATES, np.maximum(np.abs(np.log10(RATES / 1e-2)) - 2, -2))  # falls from 1e-4, lowest at 1e-2
    valley = Sweep(RATES, np.minimum(valley.losses, 0))
    assert valley.proposed == pytest.approx(10 ** ((-3.8 - 2) / 2), rel=0.1)


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_a_loss_that_never_falls(slope):
    noise = 0.3 * np.random.default_rng(2).standard_normal(len(RATES))
    with pytest.raises(ValueError, match="the loss falls at no learning rate between 1e-06 and 1e"):
        str(Sweep(RATES, slope * np.log10(RATES / RATES[0]) + noise))


@pytest.mark.parametrize(
    ("rates", "losses", "reason"),
    [
        (RATES, np.zeros(299), "each rate has one loss"),
        (RATES[:19], np.zeros(19), "20 steps at least, and broke after 19"),
        (RATES[::-1], np.zeros(300), "above 0 and rise"),
        (RATES - 1e-6, np.zeros(300), "above 0 and rise"),
        (RATES, np.full(300, np.nan), "are finite"),
    ],
)
def test_what_is_no_sweep(rates, losses, reason):
    with pytest.raises(ValueError, match=reason):
        Sweep(rates, losses)
