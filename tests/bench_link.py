"""One PUSCH slot per call in NumPy, as models/link draws it: what `make bench-link` compares with.

Whole-array operations throughout; profile tables and pilots are made once, outside the time taken.
Usage: bench_link.py SLOTS -> slots a second, one number.
"""
import sys
import time

import numpy as np

PRB, RX, SYMBOLS, SINES, BITS = 26, 2, 14, 16, 4
F = 12 * PRB
# TR 38.901 table 7.7.2-1, TDL-A: all profiles have about as many taps
DELAY = np.array([0.0000, 0.3819, 0.4025, 0.5868, 0.4610, 0.5375, 0.6708, 0.5750, 0.7618, 1.5375, 1.8978, 2.2242, 2.1718,
                  2.4942, 2.5119, 3.0582, 4.0810, 4.4579, 4.5695, 4.7966, 5.0066, 5.3043, 9.6586], dtype=np.float32)
POWER_DB = np.array([-13.4, 0.0, -2.2, -4.0, -6.0, -8.2, -9.9, -10.5, -7.5, -15.9, -6.6, -16.7, -12.4, -15.2, -10.8, -11.3,
                     -12.7, -16.2, -18.3, -18.9, -16.6, -19.9, -29.7])
POWER = 10 ** (POWER_DB / 10)
AMPLITUDE = np.sqrt(POWER / POWER.sum() / 2 / SINES).astype(np.float32)
TIME = (np.arange(SYMBOLS) * 71.4e-6).astype(np.float32)
LEVELS = np.array([1, 3, -1, -3], dtype=np.float32) / np.sqrt(np.float32(10))
ANGLES = np.arange(SINES, dtype=np.float32)


def normal(rng, *shape):
    z = rng.standard_normal((*shape, 2), dtype=np.float32)
    return z.view(np.complex64)[..., 0]


def channel(rng):
    spread, doppler = rng.uniform(10e-9, 300e-9), rng.uniform(0, 500)
    angle = 2 * np.pi / SINES * (ANGLES + rng.random((len(DELAY), SINES), dtype=np.float32))
    turns = np.float32(2 * np.pi * doppler) * np.cos(angle)
    moving = np.exp(1j * turns[..., None] * TIME)  # taps, sines, symbols
    gain = np.einsum("aln,lnt->alt", normal(rng, RX, len(DELAY), SINES) * AMPLITUDE[:, None], moving)
    phasor = np.exp(np.complex64(-2j * np.pi * 15e3 * spread) * np.arange(F, dtype=np.float32)[:, None] * DELAY)
    return phasor @ gain  # antennas, subcarriers, symbols


def slot(rng, pilot):
    snr = 10 ** (rng.uniform(-4, 32) / 10)
    comb = rng.integers(2)
    bits = rng.integers(0, 2, (F, SYMBOLS, BITS), dtype=np.uint8)
    x = LEVELS[2 * bits[..., 0] + bits[..., 2]] + 1j * LEVELS[2 * bits[..., 1] + bits[..., 3]]
    xp = np.zeros((F, SYMBOLS), dtype=np.complex64)
    xp[comb::2, 2] = pilot
    mask = xp == 0
    x = np.where(mask, x, xp)
    y = channel(rng) * x + np.float32(np.sqrt(0.5 / snr)) * normal(rng, RX, F, SYMBOLS)
    hr = y * xp.conj()
    planes = [part for z in (*y, xp, *hr) for part in (z.real, z.imag)]
    return np.stack(planes), bits, mask  # inputs and labels, ready for the net


def main():
    slots = int(sys.argv[1])
    rng = np.random.Generator(np.random.Philox(1))
    pilot = ((1 - 2 * rng.integers(0, 2, F // 2)) + 1j * (1 - 2 * rng.integers(0, 2, F // 2))).astype(np.complex64)
    pilot /= np.sqrt(np.float32(2))
    slot(rng, pilot)
    start = time.process_time()
    for _ in range(slots):
        slot(rng, pilot)
    print(slots / (time.process_time() - start))


if __name__ == "__main__":
    main()
