# Writes margins.json: bounds of pairs that tie, margins of two sizes, margins chosen afterwards and
# readings at any time, in base R. Run: Rscript tests/reference/make_margins.R
options(digits = 15)
level <- 0.05

bound <- function(d, worst, a) {
  n <- length(d)
  half <- qt(a / 2, n - 1, lower.tail = FALSE) * sd(d) / sqrt(n)
  more <- (1 - (a / 2)^(1 / n)) * worst
  c(mean(d) - half - more, mean(d) + half + more)
}
tie_p <- function(d, worst, low, high) {
  gap <- function(log_a) {
    ends <- bound(d, worst, exp(log_a))
    max(ends[2] - high, low - ends[1])
  }
  if (gap(0) >= 0) return(1)
  exp(uniroot(gap, c(log(1e-280), 0), tol = 1e-14)$root)
}
one_sided <- function(t, n) pt(t, n - 1, lower.tail = FALSE)
plain <- function(d, low, high) {
  n <- length(d); error <- sd(d) / sqrt(n)
  matters <- min(1, 2 * min(one_sided((mean(d) - high) / error, n),
                            one_sided((low - mean(d)) / error, n)))
  calm <- max(one_sided((mean(d) - low) / error, n), one_sided((high - mean(d)) / error, n))
  c(matters, calm)
}
afterwards <- function(d, m) {
  inner <- t.test(d, conf.level = 1 - 2 * level / m)$conf.int
  outer <- t.test(d, conf.level = 1 - level / m)$conf.int
  nearer <- max(outer[1], -outer[2])
  c(max(abs(inner)), if (nearer > 0) nearer else NA)
}
evidence <- function(t, n, g = 1) {
  v <- n - 1; s <- 1 + n * g^2
  s^(-1 / 2) * ((1 + t^2 / v) / (1 + t^2 / (v * s)))^(n / 2)
}
anytime <- function(d, low, high) {
  n <- length(d); error <- sd(d) / sqrt(n)
  p <- function(t) if (t > 0) min(1, 1 / (2 * evidence(t, n))) else 1
  matters <- min(1, 2 * min(p((mean(d) - high) / error), p((low - mean(d)) / error)))
  c(matters, max(p((mean(d) - low) / error), p((high - mean(d)) / error)))
}

tied <- list(
  c(0, 0, 0, 0, 0, 0, 0.2, -0.2, 0.1, -0.1), c(0, 0, 0, 0.5, 0.25), c(rep(0, 17), 1, -0.5, 0.25),
  c(rep(0, 40), 0.3, 0.3, -0.1, 0.2, 2, 0.1, -0.4, 0.6, 0.1, 0.05)
)
free <- list(
  c(0.5, -0.2, 0.9, 1.1, 0.3, 0.4, -0.1, 0.8), c(2.2, 1.9, 2.4, 2.1, 1.8, 2.3),
  c(-1.2, 0.4, -0.9, -0.7, -1.5, -0.2, -1.1, -0.8, -0.6, -1.3), c(0.01, -0.02, 0.03, 0.02, -0.01)
)
number <- function(x) ifelse(is.na(x), "null", format(x, digits = 15))
vector <- function(x) paste0("[", paste(number(x), collapse = ", "), "]")
cases <- character()
for (d in tied) for (worst in c(0.5, 2, 10)) for (bounds in list(c(-1, 1), c(-0.5, 2))) {
  cases <- c(cases, sprintf(
    '{"kind": "tied", "deltas": %s, "worst": %s, "bounds": %s, "interval": %s, "p": %s}',
    vector(d), number(worst), vector(bounds), vector(bound(d, worst, level)),
    number(tie_p(d, worst, bounds[1], bounds[2]))))
}
for (d in free) for (bounds in list(c(-1, 1), c(-0.5, 2), c(-1.5, 0.1))) {
  cases <- c(cases, sprintf(
    '{"kind": "free", "deltas": %s, "bounds": %s, "plain": %s, "anytime": %s, "afterwards": %s}',
    vector(d), vector(bounds), vector(plain(d, bounds[1], bounds[2])),
    vector(anytime(d, bounds[1], bounds[2])), vector(c(afterwards(d, 1), afterwards(d, 5)))))
}
writeLines(c("[", paste0(" ", cases, c(rep(",", length(cases) - 1), "")), "]"),
           "tests/reference/margins.json")
