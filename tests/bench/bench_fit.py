"""The fit of bench_fit.c by NumPy and SciPy: QR of the rows, a bootstrap over blocks from the blocks' triangles."""
import sys
import time

import numpy as np
import scipy.linalg


def main():
    path, resamples, blocks, how = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    raw = np.fromfile(path)
    cols = int(raw[0])
    rows = (len(raw) - 1) // (cols + 1)
    x = np.asfortranarray(raw[1 : 1 + rows * cols].reshape(cols, rows).T)
    y = raw[1 + rows * cols :]
    block = np.arange(rows) % blocks
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        start = time.perf_counter()
        best = scipy.linalg.lstsq(x, y)[0]
        rng = np.random.default_rng(1)
        draws = np.empty((resamples, cols))
        if how == "rows":
            # what people write: draw blocks, gather their rows, solve again
            members = [np.flatnonzero(block == k) for k in range(blocks)]
            for b in range(resamples):
                pick = np.concatenate([members[k] for k in rng.integers(0, blocks, blocks)])
                draws[b] = scipy.linalg.lstsq(x[pick], y[pick], check_finite=False)[0]
        else:
            # the same trick as ours: the rows are seen once
            parts = [scipy.linalg.qr(np.c_[x[block == k], y[block == k]], mode="r")[0][: cols + 1] for k in range(blocks)]
            for b in range(resamples):
                r = scipy.linalg.qr(np.vstack([parts[k] for k in rng.integers(0, blocks, blocks)]), mode="r")[0]
                draws[b] = scipy.linalg.solve_triangular(r[:cols, :cols], r[:cols, cols])
        lo, hi = np.quantile(draws, [0.025, 0.975], axis=0)
        spent = time.perf_counter() - start
        sys.stdout.write(" ".join(f"{v:.17g}" for v in [spent, *best, *lo, *hi]) + "\n")
        sys.stdout.flush()


main()
