"""The compiled step: one replica after the other, inside the cache, and nothing allocated in it.

Plain Python over arrays, which `build` compiles with Numba once the names of the components'
functions stand for theirs (`slope`, `advance`, `begin`, `add`, `close`). A model is a chain of
linear layers with ReLU between them; theta `[P]` has each layer's weights `[out, in]` and then its
bias, as PyTorch lays them out.

`S` replicas, `N` rows of data, `D` inputs, `K` tasks in a batch, `B` rows of each, `L` layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ablate.compiled.forms import add, advance, begin, close, slope

# --- kernel: from here on, as it is compiled


def load(inputs: Any, labels: Any, rows: Any, x: Any, y: Any) -> None:
    """Copy rows of the data set to where they stand side by side."""
    for i in range(rows.shape[0]):
        y[i] = labels[i]
        row, place = inputs[rows[i]], x[i]  # looked up once: the copy is then a plain one
        for d in range(place.shape[0]):
            place[d] = row[d]


def forward(theta: Any, units: Any, biased: Any, x: Any, h: Any) -> None:
    """Give every layer's outputs, `h[l]` of `[n, units[l + 1]]`, the last one's without ReLU."""
    n, layers, start = x.shape[0], units.shape[0] - 1, 0
    for layer in range(layers):
        read, width = units[layer], units[layer + 1]
        weights = theta[start : start + read * width].reshape((width, read))
        start += read * width
        out = h[layer][:n]
        if layer == 0:
            np.dot(x, weights.T, out)
        else:
            np.dot(h[layer - 1][:n], weights.T, out)
        last = layer == layers - 1
        bias = theta[start : start + width]  # read only where there is one
        start += width if biased[layer] else 0
        if last and biased[layer]:
            for i in range(n):
                for j in range(width):
                    out[i, j] += bias[j]
        elif not last:
            for i in range(n):
                for j in range(width):
                    value = out[i, j] + bias[j] if biased[layer] else out[i, j]
                    # a comparison that lets nan through, as PyTorch's ReLU does
                    out[i, j] = 0 if value < 0 else value


def backward(theta: Any, units: Any, biased: Any, x: Any, h: Any, e: Any, g: Any) -> None:
    """Turn the slopes at the logits, `e[-1]`, into the gradient g `[P]`."""
    n, layers, end = x.shape[0], units.shape[0] - 1, theta.shape[0]
    for layer in range(layers - 1, -1, -1):
        read, width = units[layer], units[layer + 1]
        slopes = e[layer][:n]
        if biased[layer]:
            end -= width
            bias = g[end : end + width]
            bias[:] = 0
            for i in range(n):
                for j in range(width):
                    bias[j] += slopes[i, j]
        end -= read * width
        weights = theta[end : end + read * width].reshape((width, read))
        into = g[end : end + read * width].reshape((width, read))
        if layer == 0:
            np.dot(slopes.T, x, into)
        else:
            below, active = e[layer - 1][:n], h[layer - 1][:n]
            np.dot(slopes.T, active, into)
            np.dot(slopes, weights, below)
            for i in range(n):
                for j in range(read):
                    if active[i, j] <= 0:
                        below[i, j] = 0


def outward(theta: Any, target: Any, far: Any) -> None:
    """Move theta `[P]` so far towards the target `[P]`, in place."""
    for i in range(theta.shape[0]):
        theta[i] += far * (target[i] - theta[i])


def over_tasks(
    theta: Any,
    vectors: Any,
    counts: Any,
    starts: Any,
    numbers: Any,
    chain: Any,
    data: Any,
    rates: Any,
    outer: Any,
    steps: Any,
    fresh: Any,
    buffers: Any,
) -> None:
    """Take an epoch's outer steps: each task's inner loop, gathered, and a step to the target.

    theta `[S, P]`, vectors `[S, M, P]` and counts `[S]` of the optimizers are changed in place.
    starts `[M]`: what each vector begins at. numbers `[S, n]`: the optimizers' settings. chain:
    units `[L + 1]`, biased `[L]`. data: inputs `[N, D]`, rows `[S, steps, K, B]` in them, labels
    (the same), sizes `[S, steps, K]`, own `[K, C]`, seen `[C]`. rates `[S, steps]`: of learning.
    outer `[S, steps]`: how far to go. steps: inner ones, and those on the newest task. fresh:
    whether every inner loop begins with a new optimizer. buffers: x, y, h, e, g, phi, target.
    """
    units, biased = chain
    inputs, rows, labels, sizes, own, seen = data
    x, y, share, h, e, g, phi, target = buffers
    replicas, batches, tasks = sizes.shape
    layers = units.shape[0] - 1
    for s in range(replicas):
        at, state = theta[s], vectors[s]
        for t in range(batches):
            present = 0
            for k in range(tasks):
                n = sizes[s, t, k]
                if n == 0:
                    continue
                begin(phi, at, present)
                if fresh:
                    counts[s] = 0
                    for m in range(state.shape[0]):
                        state[m, :] = starts[m]
                load(inputs, labels[s, t, k, :n], rows[s, t, k, :n], x, y)
                for i in range(n):
                    share[i] = 1 / n
                for _ in range(steps[1] if k == tasks - 1 else steps[0]):
                    forward(phi, units, biased, x[:n], h)
                    slope(h[layers - 1][:n], y[:n], share[:n], own[k], seen, e[layers - 1][:n])
                    backward(phi, units, biased, x[:n], h, e, g)
                    counts[s] += 1
                    advance(phi, g, state, counts[s], numbers[s], rates[s, t])
                add(target, phi, present)
                present += 1
            if present:
                close(target, phi, present)
                outward(at, target, outer[s, t])


def over_rows(
    theta: Any,
    vectors: Any,
    counts: Any,
    starts: Any,
    numbers: Any,
    chain: Any,
    data: Any,
    rates: Any,
    by_task: Any,
    steps: Any,
    fresh: Any,
    buffers: Any,
) -> None:
    """Take an epoch's steps on the loss of all rows of a batch; see `over_tasks`.

    by_task: whether the tasks that are present weigh the same, and not the rows.
    """
    units, biased = chain
    inputs, rows, labels, sizes, own, seen = data
    x, y, share, h, e, g, _, _ = buffers
    replicas, batches, tasks = sizes.shape
    layers = units.shape[0] - 1
    for s in range(replicas):
        at, state = theta[s], vectors[s]
        for t in range(batches):
            total, present = 0, 0
            for k in range(tasks):
                total += sizes[s, t, k]
                present += sizes[s, t, k] > 0
            if total == 0:
                continue
            if fresh:
                counts[s] = 0
                for m in range(state.shape[0]):
                    state[m, :] = starts[m]
            end = 0
            for k in range(tasks):
                n = sizes[s, t, k]
                first, end = end, end + n
                load(inputs, labels[s, t, k, :n], rows[s, t, k, :n], x[first:end], y[first:end])
                for i in range(first, end):
                    share[i] = 1 / (present * n) if by_task else 1 / total
            for _ in range(steps[0]):
                forward(at, units, biased, x[:total], h)
                logits, slopes = h[layers - 1], e[layers - 1]
                end = 0
                for k in range(tasks):
                    first, end = end, end + sizes[s, t, k]
                    slope(
                        logits[first:end],
                        y[first:end],
                        share[first:end],
                        own[k],
                        seen,
                        slopes[first:end],
                    )
                backward(at, units, biased, x[:total], h, e, g)
                counts[s] += 1
                advance(at, g, state, counts[s], numbers[s], rates[s, t])
