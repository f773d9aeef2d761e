# Writes robust.json: trimmed means of paired differences (Tukey & McLaughlin), exact intervals of
# rates (Clopper & Pearson) and exact McNemar tests, in base R.
# Run: Rscript tests/reference/make_robust.R
options(digits = 15)
trimmed <- function(d, level, cut = 0.2) {
  n <- length(d); g <- floor(cut * n); s <- sort(d)
  inside <- s[(g + 1):(n - g)]
  w <- pmin(pmax(s, inside[1]), inside[length(inside)])
  error <- sd(w) / ((1 - 2 * cut) * sqrt(n))
  half <- qt(1 - level / 2, length(inside) - 1) * error
  m <- mean(d, trim = cut)
  stopifnot(abs(m - mean(inside)) < 1e-12)
  c(m, m - half, m + half)
}
vector <- function(x) paste0("[", paste(format(x, digits = 15, trim = TRUE), collapse = ", "), "]")
set.seed(11)
samples <- list(c(0, 1, 2, 3, 100), c(1.2, 0.7, 1.9, -0.4, 0.8, 1.1), round(rnorm(8), 3),
                round(rexp(12), 3), round(rt(20, 3), 3), c(rep(0.5, 7), 3, -2, 1),
                datasets::sleep$extra[11:20] - datasets::sleep$extra[1:10])
cases <- character()
for (d in samples) for (level in c(0.05, 0.0125)) {
  cases <- c(cases, sprintf('{"kind": "trimmed", "deltas": %s, "level": %s, "mean_low_high": %s}',
                            vector(d), format(level), vector(trimmed(d, level))))
}
for (k in list(c(0, 5), c(1, 10), c(2, 10), c(5, 5), c(3, 24), c(7, 50))) {
  cases <- c(cases, sprintf('{"kind": "rate", "count": %d, "n": %d, "interval": %s}',
                            k[1], k[2], vector(binom.test(k[1], k[2])$conf.int)))
}
for (b in list(c(0, 1), c(0, 5), c(1, 4), c(2, 2), c(3, 11))) {
  cases <- c(cases, sprintf('{"kind": "mcnemar", "alone": [%d, %d], "p": %s}', b[1], b[2],
                            format(binom.test(b[1], sum(b))$p.value, digits = 15)))
}
writeLines(c("[", paste0(" ", cases, c(rep(",", length(cases) - 1), "")), "]"),
           "tests/reference/robust.json")
