# Writes exact.json: exact p of rank and sign tests where ties leave no table to look them up in.
# Mann-Whitney given ties: coin's exact distribution. Sign-flip of differences that share no step:
# every choice of signs. Friedman given ties: friedman.test's statistic over every order of the
# scores inside the blocks.
# Run: Rscript tests/reference/make_exact.R
suppressPackageStartupMessages(library(coin))
options(digits = 15)
vector <- function(x) paste0("[", paste(format(x, digits = 15, trim = TRUE), collapse = ", "), "]")
near <- 1 - 1e-9  # as far out as the sample, whatever round-off says
set.seed(23)
cases <- character()

mann_whitney <- function(x, y) {
  arm <- factor(rep(c("x", "y"), c(length(x), length(y))))
  p <- as.numeric(pvalue(wilcox_test(c(x, y) ~ arm, distribution = "exact")))
  cases <<- c(cases, sprintf('{"kind": "mann-whitney", "x": %s, "y": %s, "p": %s}',
                             vector(x), vector(y), format(p, digits = 15)))
}
mann_whitney(c(1, 2, 2, 3, 5), c(2, 2, 4, 6, 7))
mann_whitney(c(0, 0, 0, 0, 1), c(0, 0, 1, 1, 1))
mann_whitney(c(91, 92, 92, 92, 93, 93), c(92, 93, 93, 94, 94, 94))
mann_whitney(c(1, 1, 1, 1), c(2, 2, 2, 2))
for (n in c(5, 8, 12, 20, 30)) for (shift in c(0, 1.5))
  mann_whitney(round(rnorm(n, 0, 2)), round(rnorm(n, shift, 2)))

sign_flip <- function(d) {
  sums <- 0
  for (one in abs(d)) sums <- c(sums - one, sums + one)
  p <- mean(abs(sums) >= abs(sum(d)) * near)
  cases <<- c(cases, sprintf('{"kind": "sign-flip", "deltas": %s, "p": %s}', vector(d),
                             format(p, digits = 15)))
}
for (n in c(5, 9, 14, 17, 20, 22)) {
  sign_flip(rnorm(n, 0.4))
  sign_flip(sqrt(seq_len(n) + 1) * ifelse(runif(n) < 0.25, -1, 1))
}

orders <- function(v) {
  if (length(v) == 1) return(list(v))
  do.call(c, lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(rest) c(v[i], rest))))
}
friedman <- function(m) {
  statistic <- function(rows) {
    found <- suppressWarnings(friedman.test(rows)$statistic)
    if (is.nan(found)) 0 else found
  }
  every <- apply(m, 1, orders, simplify = FALSE)
  places <- expand.grid(lapply(every, seq_along))
  found <- apply(places, 1, function(at)
    statistic(do.call(rbind, Map(function(rows, i) rows[[i]], every, at))))
  seen <- statistic(m)
  cases <<- c(cases, sprintf('{"kind": "friedman", "scores": [%s], "statistic": %s, "p": %s}',
                             paste(apply(m, 1, vector), collapse = ", "),
                             format(seen, digits = 15), format(mean(found >= seen * near), digits = 15)))
}
friedman(matrix(c(1, 2, 3, 1, 3, 3, 2, 2, 3), 3, 3, TRUE))
friedman(matrix(c(1, 2, 1, 2, 1, 2, 1, 2, 1, 2), 5, 2, TRUE))
friedman(matrix(c(1, 1, 1, 2, 3, 2, 4, 4, 5), 3, 3, TRUE))
friedman(matrix(c(1, 2, 2, 4, 1, 1, 3, 4, 2, 1, 3, 3), 3, 4, TRUE))
for (n in 4:5) for (top in c(2, 5)) friedman(matrix(sample(0:top, 3 * n, TRUE), n))

writeLines(c("[", paste0(" ", cases, c(rep(",", length(cases) - 1), "")), "]"),
           "tests/reference/exact.json")
