"""One PUSCH slot after the other in NumPy, as models/link draws it: what `make bench-link` compares with.

Two versions of the same slot, both of whole-array operations, with profile tables and pilots made once, both ending in
the arrays that rx_fill_input() and rx_fill_labels() fill:
  plain   as NumPy gives it: double precision, default generator, bits as integers
  single  tuned: single precision throughout, bytes for bits, Philox
Usage: bench_link.py plain|single SLOTS -> slots a second, one number.
"""
import functools
import sys
import time

import numpy as np

PRB, RX, SYMBOLS, SINES, BITS = 26, 2, 14, 16, 4
F = 12 * PRB
# TR 38.901 table 7.7.2-1, TDL-A: all profiles without line of sight have about as many taps
DELAY = np.array([0.0000, 0.3819, 0.4025, 0.5868, 0.4610, 0.5375, 0.6708, 0.5750, 0.7618, 1.5375, 1.8978, 2.2242, 2.1718,
                  2.4942, 2.5119, 3.0582, 4.0810, 4.4579, 4.5695, 4.7966, 5.0066, 5.3043, 9.6586])
POWER_DB = np.array([-13.4, 0.0, -2.2, -4.0, -6.0, -8.2, -9.9, -10.5, -7.5, -15.9, -6.6, -16.7, -12.4, -15.2, -10.8, -11.3,
                     -12.7, -16.2, -18.3, -18.9, -16.6, -19.9, -29.7])
POWER = 10 ** (POWER_DB / 10)
AMPLITUDE = np.sqrt(POWER / POWER.sum() / 2 / SINES)[:, None]
TIME = np.arange(SYMBOLS) * 71.4e-6
LEVELS = np.array([1, 3, -1, -3]) / np.sqrt(10)
ANGLES = np.arange(SINES)
PATTERNS = [((2, 0),), ((2, 1),), ((2, 0), (11, 1)), ((2, 1), (11, 0))]  # (symbol, comb) of DeepRx's four


@functools.lru_cache(None)
def pilots(slot, symbol):
    """DMRS of TS 38.211, 6.4.1.1.1, N_ID 0."""
    n, c_init = F, (1 << 17) * (14 * slot + symbol + 1) % (1 << 31)
    x1, x2 = [1] + [0] * 30, [c_init >> i & 1 for i in range(31)]
    for i in range(1600 + n - 31):
        x1.append(x1[i + 3] ^ x1[i])
        x2.append(x2[i + 3] ^ x2[i + 2] ^ x2[i + 1] ^ x2[i])
    c = 1 - 2 * (np.array(x1[1600:1600 + n]) ^ np.array(x2[1600:1600 + n]))
    return (c[0::2] + 1j * c[1::2]) / np.sqrt(2)


class Plain:
    def __init__(self):
        self.rng = np.random.default_rng(1)

    def normal(self, *shape):
        return self.rng.standard_normal(shape) + 1j * self.rng.standard_normal(shape)

    def channel(self):
        spread, doppler = self.rng.uniform(10e-9, 300e-9), self.rng.uniform(0, 500)
        angle = 2 * np.pi / SINES * (ANGLES + self.rng.random((len(DELAY), SINES)))
        moving = np.exp(2j * np.pi * doppler * np.cos(angle)[..., None] * TIME)  # taps, sines, symbols
        gain = np.einsum("aln,lnt->alt", self.normal(RX, len(DELAY), SINES) * AMPLITUDE, moving)
        return np.exp(-2j * np.pi * 15e3 * spread * np.outer(np.arange(F), DELAY)) @ gain  # antennas, subcarriers, symbols

    def bits(self):
        return self.rng.integers(0, 2, (F, SYMBOLS, BITS))

    levels, complex_type = LEVELS, complex

    def slot(self, index):
        snr = 10 ** (self.rng.uniform(-4, 32) / 10)
        bits = self.bits()
        x = self.levels[2 * bits[..., 0] + bits[..., 2]] + 1j * self.levels[2 * bits[..., 1] + bits[..., 3]]
        xp = np.zeros((F, SYMBOLS), dtype=self.complex_type)
        for symbol, comb in PATTERNS[self.rng.integers(4)]:
            xp[comb::2, symbol] = pilots(index % 10, symbol)
        data = xp == 0
        x = np.where(data, x, xp)
        y = self.channel() * x + np.sqrt(0.5 / snr).astype(x.real.dtype) * self.normal(RX, F, SYMBOLS)
        y = y / np.sqrt(np.mean(np.abs(y) ** 2))
        hr = y * xp.conj()
        inputs = np.zeros((F, SYMBOLS, 16), dtype=np.float32)  # as rx_fill_input() lays them out
        for c, plane in enumerate((*y.real, *y.imag, xp.real, xp.imag, *hr.real, *hr.imag)):
            inputs[..., c] = plane
        labels = np.full((F, SYMBOLS, 16), 2, dtype=np.uint8)  # and rx_fill_labels()
        labels[..., :BITS] = np.where(data[..., None], bits, 2)
        return inputs, labels


class Single(Plain):
    levels, complex_type = LEVELS.astype(np.float32), np.complex64
    delay, amplitude, when, angles = [a.astype(np.float32) for a in (DELAY, AMPLITUDE, TIME, ANGLES)]

    def __init__(self):
        self.rng = np.random.Generator(np.random.Philox(1))

    def normal(self, *shape):
        return self.rng.standard_normal((*shape, 2), dtype=np.float32).view(np.complex64)[..., 0]

    def channel(self):
        spread, doppler = self.rng.uniform(10e-9, 300e-9), self.rng.uniform(0, 500)
        angle = 2 * np.pi / SINES * (self.angles + self.rng.random((len(DELAY), SINES), dtype=np.float32))
        turns = np.float32(2 * np.pi * doppler) * np.cos(angle.astype(np.float32))
        moving = np.exp(np.complex64(1j) * (turns[..., None] * self.when))
        gain = np.einsum("aln,lnt->alt", self.normal(RX, len(DELAY), SINES) * self.amplitude, moving)
        phasor = np.exp(np.complex64(-2j * np.pi * 15e3 * spread) * np.outer(np.arange(F, dtype=np.float32), self.delay))
        return phasor @ gain

    def bits(self):
        return self.rng.integers(0, 2, (F, SYMBOLS, BITS), dtype=np.uint8)


def main():
    link, slots = {"plain": Plain, "single": Single}[sys.argv[1]](), int(sys.argv[2])
    for i in range(10):
        link.slot(i)  # every pilot of the frame is made once
    start = time.process_time()
    for i in range(slots):
        link.slot(i)
    print(slots / (time.process_time() - start))


if __name__ == "__main__":
    main()
