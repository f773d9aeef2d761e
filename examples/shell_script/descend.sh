#!/bin/sh
# Gradient descent on a noisy parabola, in awk: descend.sh RATE MOMENTUM SEED prints the last loss.
awk -v rate="$1" -v momentum="$2" -v seed="$3" 'BEGIN {
    srand(seed)
    x = 4 + rand()
    for (i = 0; i < 40; i++) {
        noise = 2 * rand() - 1
        speed = momentum * speed - rate * (2 * x + noise)
        x += speed
    }
    printf "done after %d steps, loss=%.6f\n", i, x * x
}'
