#!/usr/bin/env Rscript
# Reference values for a statistics layer for paired comparisons over seeds.
#
#   Rscript make_cases.R [cases.json]
#
# Everything is computed with R; each number that depends on an iterative or
# approximate routine is computed a second way and the two are compared (the
# chk() calls), so the script stops if R's routines do not agree with themselves.
# FULL17=1 in the environment writes every number with 17 digits instead of the
# shortest of 15 or 17 that gives the same double.

suppressPackageStartupMessages({
  library(stats); library(MASS); library(nlme); library(lme4); library(boot)
  library(coin); library(car); library(exactRankTests)
})
options(digits = 17, warn = 1)
out_file <- c(commandArgs(TRUE), "cases.json")[1]

# ---------------------------------------------------------------- JSON writer
arr <- function(x) structure(list(x), class = "arr")   # always a JSON array
full17 <- nzchar(Sys.getenv("FULL17"))
num <- function(v) {
  if (is.na(v) || !is.finite(v)) return("null")
  s <- sprintf("%.15g", v)
  if (full17 || as.numeric(s) != v) s <- sprintf("%.17g", v)
  s
}
str_json <- function(s) {
  s <- gsub("\\", "\\\\", s, fixed = TRUE)
  s <- gsub("\"", "\\\"", s, fixed = TRUE)
  s <- gsub("\n", "\\n", s, fixed = TRUE)
  paste0("\"", s, "\"")
}
atom <- function(v) {
  if (is.factor(v)) v <- as.character(v)
  if (is.character(v)) if (is.na(v)) "null" else str_json(v)
  else if (is.logical(v)) if (is.na(v)) "null" else if (v) "true" else "false"
  else num(v)
}
atoms <- function(v) paste0("[", paste(vapply(seq_along(v), function(i) atom(v[i]), ""), collapse = ", "), "]")
json <- function(o) {
  if (inherits(o, "arr")) return(atoms(as.vector(unclass(o)[[1]])))
  if (is.null(o)) return("null")
  if (is.matrix(o)) return(paste0("[", paste(apply(o, 1, function(r) atoms(as.vector(r))), collapse = ", "), "]"))
  if (is.list(o)) {
    if (is.null(names(o))) return(paste0("[", paste(vapply(o, json, ""), collapse = ", "), "]"))
    return(paste0("{", paste(paste0(vapply(names(o), str_json, ""), ": ", vapply(o, json, "")), collapse = ", "), "}"))
  }
  if (length(o) == 1) atom(unname(o)) else atoms(unname(o))
}

# ---------------------------------------------------------------- collecting
cases <- list()
add <- function(what, name, source, input, expect, notes = NULL) {
  nm <- paste0(what, "/", name)
  if (nm %in% vapply(cases, function(z) z$name, "")) stop("name used twice: ", nm)
  one <- list(name = nm, what = what, source = source, input = input, expect = expect)
  if (!is.null(notes)) one$notes <- notes
  cases[[length(cases) + 1]] <<- one
}
chk <- function(a, b, tol = 1e-9, msg = "") {
  a <- as.vector(a); b <- as.vector(b)
  bad <- abs(a - b) > tol * pmax(1, abs(a), abs(b))
  if (anyNA(bad) || any(bad))
    stop("cross-check failed ", msg, ": ", paste(format(a, digits = 15), collapse = " "), " / ",
         paste(format(b, digits = 15), collapse = " "))
  invisible(TRUE)
}
rel <- function(a, b, tol = 1e-9, msg = "") {             # relative comparison
  a <- as.vector(a); b <- as.vector(b)
  if (any(abs(a - b) > tol * pmax(abs(a), abs(b)))) stop("relative check failed ", msg, " ", paste(a, b))
  invisible(TRUE)
}
quiet <- suppressWarnings

# ---------------------------------------------------------------- data sets
# grid: 1/grid is the step of the scores; d = round((x - y) * grid) / grid is the
# clean difference (ties are ties), x - y in floating point is not.
sets <- list()
pair <- function(name, x, y, grid, about) {
  stopifnot(length(x) == length(y), max(abs(x * grid - round(x * grid))) < 1e-6,
            max(abs(y * grid - round(y * grid))) < 1e-6)
  k <- round(x * grid) - round(y * grid)
  sets[[name]] <<- list(name = name, x = x, y = y, k = k, grid = grid, d = k / grid, about = about)
}
only_d <- function(name, k, grid, about)
  sets[[name]] <<- list(name = name, x = NULL, y = NULL, k = k, grid = grid, d = k / grid, about = about)

sleep1 <- sleep$extra[sleep$group == 1]; sleep2 <- sleep$extra[sleep$group == 2]
pair("sleep", sleep2, sleep1, 10, "R datasets::sleep, x = group 2, y = group 1 (Student 1908)")
darwin_k <- c(49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)
stopifnot(all(darwin_k == boot::darwin$y))
only_d("darwin", darwin_k, 1, "Darwin's maize, cross minus self in 1/8 inch (Fisher 1935; the same as boot::darwin)")
dx <- c(23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12)
dy <- c(17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18)
stopifnot(all(8 * (dx - dy) == darwin_k))
pair("darwin_inches", dx, dy, 8, "Darwin's maize, heights in inches, x = crossed, y = self-fertilised (differences agree with boot::darwin / 8)")
pair("shoes", MASS::shoes$B, MASS::shoes$A, 10, "MASS::shoes, x = B, y = A (Box, Hunter and Hunter 1978)")
an <- MASS::anorexia
pair("anorexia_cbt", an$Postwt[an$Treat == "CBT"], an$Prewt[an$Treat == "CBT"], 10, "MASS::anorexia, Treat CBT, x = Postwt, y = Prewt")
pair("anorexia_ft", an$Postwt[an$Treat == "FT"], an$Prewt[an$Treat == "FT"], 10, "MASS::anorexia, Treat FT, x = Postwt, y = Prewt")
pair("attitude", attitude$complaints, attitude$learning, 1, "R datasets::attitude, x = complaints, y = learning (percentages, ties and zeros)")
pair("immer", MASS::immer$Y2, MASS::immer$Y1, 10, "MASS::immer, barley yields, x = Y2 (1932), y = Y1 (1931)")
f200 <- function(...) c(...) / 200
pair("acc_n3", f200(187, 191, 185), f200(184, 186, 184), 200, "made: accuracies over 200 test rows, 3 seeds")
pair("acc_n3_zero", f200(188, 187, 185), f200(184, 187, 183), 200, "made: accuracies over 200 test rows, 3 seeds, one zero difference")
pair("acc_n4_up", f200(182, 184, 181, 187), f200(171, 176, 168, 175), 200, "made: 4 seeds, every difference positive, no ties")
pair("acc_n5", f200(187, 190, 184, 181, 188), f200(183, 184, 182, 182, 179), 200, "made: accuracies over 200 test rows, 5 seeds, no ties")
pair("acc_n6_down", f200(160, 158, 161, 155, 163, 157), f200(171, 166, 164, 169, 168, 170), 200, "made: 6 seeds, every difference negative")
pair("acc_n8_ties", f200(187, 186, 180, 192, 185, 183, 190, 181), f200(184, 183, 183, 186, 185, 180, 187, 180), 200,
     "made: accuracies over 200 test rows, 8 seeds, ties and a zero (x - y in floating point breaks the ties)")
pair("acc_n10_ties", f200(181, 187, 176, 184, 190, 179, 183, 188, 185, 186), f200(178, 181, 178, 184, 184, 180, 183, 182, 183, 180), 200,
     "made: accuracies over 200 test rows, 10 seeds, ties and zeros")
pair("balanced_n6", c(0.71, 0.69, 0.74, 0.66, 0.70, 0.72), c(0.70, 0.70, 0.71, 0.69, 0.68, 0.74), 100,
     "made: differences that add up to exactly zero (+-.01 +-.03 +-.02)")
pair("pct_n8", c(88.1, 91.5, 86.4, 90.2, 87.7, 92.9, 85.3, 89.6), c(86.7, 90.9, 87.2, 87.9, 86.6, 89.2, 85.7, 86.6), 10,
     "made: percentages with one decimal, 8 seeds, no ties")
pair("tiny_n7", c(0.9912345, 0.9913417, 0.9911980, 0.9914002, 0.9912766, 0.9913121, 0.9912590),
     c(0.9912301, 0.9913402, 0.9911991, 0.9913911, 0.9912700, 0.9913050, 0.9912602), 1e7, "made: differences of some millionths")
pair("loss_n12", c(0.4312, 0.4501, 0.4198, 0.4420, 0.4377, 0.4289, 0.4563, 0.4405, 0.4330, 0.4476, 0.4251, 0.4398),
     c(0.4406, 0.4487, 0.4344, 0.4418, 0.4501, 0.4350, 0.4522, 0.4489, 0.4441, 0.4453, 0.4327, 0.4463), 1e4,
     "made: losses with four decimals, 12 seeds, no ties")
pair("reward_n15", c(2310, 1874, 3025, 412, 2988, 2750, 1999, 3311, 2101, 188, 2875, 3150, 2644, 2212, 2937),
     c(2205, 1901, 2544, 1377, 2402, 2691, 1732, 2815, 2177, 941, 2312, 2500, 2609, 2030, 2296), 1,
     "made: episode returns, 15 seeds, heavy tails")
set.seed(20251125)
b20 <- 150 + rbinom(20, 40, 0.6); t20 <- b20 + sample(c(-2:4, 1, 1), 20, TRUE)
pair("acc_n20", t20 / 200, b20 / 200, 200, "made (set.seed): accuracies over 200 test rows, 20 seeds, ties and zeros")
y25 <- round(rnorm(25, 0.8, 0.03), 4); x25 <- round(y25 + rnorm(25, 0.004, 0.009), 4)
pair("cont_n25", x25, y25, 1e4, "made (set.seed): normal scores with four decimals, 25 seeds")
y30 <- round(runif(30, 60, 90), 1); x30 <- round(y30 + rnorm(30, 0.1, 1.5), 1)
pair("pct_n30", x30, y30, 10, "made (set.seed): percentages with one decimal, 30 seeds")

inp <- function(s, ...) c(if (is.null(s$x)) list() else list(x = s$x, y = s$y), list(d = s$d), list(...))
src <- function(call, s) paste0(call, "; data: ", s$about)

# ---------------------------------------------------------------- paired_t
for (s in sets) {
  ref <- if (is.null(s$x)) t.test(s$d) else t.test(s$x, s$y, paired = TRUE)
  ref90 <- if (is.null(s$x)) t.test(s$d, conf.level = .9) else t.test(s$x, s$y, paired = TRUE, conf.level = .9)
  own <- t.test(s$d)
  chk(ref$p.value, own$p.value, 1e-8)
  add("paired_t", s$name, src(if (is.null(s$x)) "t.test(d)" else "t.test(x, y, paired=TRUE)", s), inp(s),
      list(n = length(s$d), estimate = unname(ref$estimate), sd = sd(s$d), se = sd(s$d) / sqrt(length(s$d)),
           t = unname(ref$statistic), df = unname(ref$parameter), p = ref$p.value,
           conf_low_95 = ref$conf.int[1], conf_high_95 = ref$conf.int[2],
           conf_low_90 = ref90$conf.int[1], conf_high_90 = ref90$conf.int[2]))
}

# ------------------------------------------------- minimal_effect and tost
margins <- list(sleep = c(0.5, 2), darwin = c(8, 40), shoes = c(0.25, 0.75), anorexia_cbt = 2, anorexia_ft = 5,
                attitude = c(2, 15), immer = 5, acc_n3 = 0.005, acc_n4_up = c(0.01, 0.02), acc_n5 = c(0.005, 0.05),
                acc_n6_down = c(0.01, 0.1), acc_n8_ties = 0.01, acc_n10_ties = c(0.01, 0.02), balanced_n6 = 0.02, pct_n8 = c(0.5, 3),
                tiny_n7 = 1e-5, loss_n12 = c(0.002, 0.01), reward_n15 = 200, acc_n20 = c(0.005, 0.01),
                cont_n25 = c(0.002, 0.01), pct_n30 = c(0.5, 1))
for (nm in names(margins)) for (m in margins[[nm]]) {
  s <- sets[[nm]]; d <- s$d; n <- length(d); se <- sd(d) / sqrt(n)
  up <- t.test(d, mu = m, alternative = "greater"); down <- t.test(d, mu = -m, alternative = "less")
  chk(up$p.value, pt((mean(d) - m) / se, n - 1, lower.tail = FALSE))
  add("minimal_effect", paste0(nm, "_m", m), src("t.test(d, mu=m, alternative='greater'), t.test(d, mu=-m, alternative='less'); p = min(1, 2*min(both))", s),
      list(d = d, margin = m),
      list(estimate = mean(d), t_greater = unname(up$statistic), p_greater = up$p.value, t_less = unname(down$statistic), p_less = down$p.value,
           p = min(1, 2 * min(up$p.value, down$p.value))))
  lo <- t.test(d, mu = -m, alternative = "greater"); hi <- t.test(d, mu = m, alternative = "less")
  ci <- t.test(d, conf.level = .9)$conf.int
  stopifnot((max(lo$p.value, hi$p.value) < .05) == (ci[1] > -m && ci[2] < m))
  add("tost", paste0(nm, "_m", m), src("t.test(d, mu=-m, alternative='greater') = p_lower, t.test(d, mu=m, alternative='less') = p_upper; p = max", s),
      list(d = d, margin = m),
      list(estimate = mean(d), t_lower = unname(lo$statistic), p_lower = lo$p.value, t_upper = unname(hi$statistic), p_upper = hi$p.value,
           p = max(lo$p.value, hi$p.value), conf_low_90 = ci[1], conf_high_90 = ci[2]))
}

# ---------------------------------------------------------------- wilcoxon
# exact conditional null distribution of V given the (mid)ranks, by counting
signed_rank_exact <- function(r, v) {
  r2 <- round(2 * r); cnt <- 1                         # doubled ranks are integers
  for (a in r2) { z <- numeric(a); cnt <- c(cnt, z) + c(z, cnt) }
  at <- seq_along(cnt) - 1; tot <- sum(cnt); v2 <- round(2 * v)
  min(1, 2 * min(sum(cnt[at <= v2]), sum(cnt[at >= v2])) / tot)
}
for (s in sets) {
  d <- s$d; nz <- d[d != 0]; n <- length(nz); r <- rank(abs(nz))
  zeros <- length(nz) < length(d); ties <- length(unique(r)) < n
  V <- sum(r[nz > 0])
  walsh <- outer(nz, nz, "+") / 2; walsh <- sort(walsh[lower.tri(walsh, TRUE)])
  nc <- quiet(wilcox.test(d, exact = FALSE, correct = TRUE)); nu <- quiet(wilcox.test(d, exact = FALSE, correct = FALSE))
  stopifnot(nc$statistic == V)
  # the normal approximation written out
  vv <- n * (n + 1) * (2 * n + 1) / 24 - sum(table(r)^3 - table(r)) / 48; z0 <- V - n * (n + 1) / 4
  chk(nu$p.value, min(1, 2 * pnorm(-abs(z0 / sqrt(vv))))); chk(nc$p.value, min(1, 2 * pnorm(-max(0, abs(z0) - .5) / sqrt(vv)) ), 1e-9, s$name)
  pc <- signed_rank_exact(r, V)
  pe <- quiet(exactRankTests::wilcox.exact(nz))$p.value
  chk(pc, pe, 1e-9, paste("conditional", s$name))
  e <- list(n_total = length(d), n_nonzero = n, n_zero = length(d) - n, has_ties = ties, statistic_v = V,
            p_exact = NA, p_exact_conditional = pc,
            p_normal_corrected = nc$p.value, p_normal_uncorrected = nu$p.value,
            hodges_lehmann_walsh_nonzero = median(walsh))
  note <- "R drops zero differences before ranking (Wilcoxon's way)."
  if (!zeros && !ties) {
    w <- quiet(wilcox.test(d, exact = TRUE, conf.int = TRUE)); w90 <- quiet(wilcox.test(d, exact = TRUE, conf.int = TRUE, conf.level = .9))
    chk(w$p.value, pc); chk(w$estimate, median(walsh))
    e$p_exact <- w$p.value; e$estimate <- unname(w$estimate)
    e$conf_low_95 <- w$conf.int[1]; e$conf_high_95 <- w$conf.int[2]; e$conf_level_achieved_95 <- attr(w$conf.int, "conf.level")
    e$conf_low_90 <- w90$conf.int[1]; e$conf_high_90 <- w90$conf.int[2]; e$conf_level_achieved_90 <- attr(w90$conf.int, "conf.level")
    # exact coverage of [walsh(c), walsh(M+1-c)]; c from psignrank, not from R's interval (Walsh averages can be tied)
    cov_of <- function(ci, al) {
      cc <- max(1, sum(psignrank(0:(n * (n + 1) / 2), n) <= al / 2 * (1 + 1e-12))); stopifnot(walsh[cc] == ci[1], walsh[length(walsh) + 1 - cc] == ci[2])
      1 - 2 * psignrank(cc - 1, n)
    }
    e$conf_coverage_95 <- cov_of(w$conf.int, .05); e$conf_coverage_90 <- cov_of(w90$conf.int, .1)
    note <- "Exact: no ties, no zeros. Estimate = median of the n(n+1)/2 Walsh averages. When 95 % cannot be had (n < 6) R gives the widest interval, warns, and its conf.level attribute is the achieved level; conf_coverage = exact coverage of the interval from psignrank."
  } else {
    w <- quiet(wilcox.test(d, exact = FALSE, correct = TRUE, conf.int = TRUE, tol.root = 1e-13))
    w90 <- quiet(wilcox.test(d, exact = FALSE, correct = TRUE, conf.int = TRUE, conf.level = .9, tol.root = 1e-13))
    e$r_normal_estimate <- unname(w$estimate)
    e$r_normal_conf_low_95 <- w$conf.int[1]; e$r_normal_conf_high_95 <- w$conf.int[2]
    e$r_normal_conf_level_achieved_95 <- attr(w$conf.int, "conf.level")
    e$r_normal_conf_low_90 <- w90$conf.int[1]; e$r_normal_conf_high_90 <- w90$conf.int[2]
    note <- paste(note, "Ties or zeros: R has no exact p (p_exact null), uses the normal approximation with the tie correction in the variance; p_exact_conditional is the exact distribution given the midranks (own counting, agrees with exactRankTests::wilcox.exact). r_normal_estimate is R's root of the normal score (tol.root=1e-13), not the median of the Walsh averages. When the level cannot be had R lowers it (r_normal_conf_level_achieved_95).")
  }
  if (zeros) {
    ff <- function(dist) as.numeric(coin::pvalue(coin::wilcoxsign_test(d ~ rep(0, length(d)), zero.method = "Pratt", distribution = dist)))
    e$p_pratt_exact <- ff("exact"); e$p_pratt_normal_uncorrected <- ff("asymptotic")
    note <- paste(note, "p_pratt_*: coin::wilcoxsign_test(zero.method='Pratt').")
  }
  if (!is.null(s$x)) {
    wn <- quiet(wilcox.test(s$x, s$y, paired = TRUE))
    if (abs(unname(wn$statistic) - V) > 1e-9 || abs(wn$p.value - (if (is.na(e$p_exact)) nc$p.value else e$p_exact)) > 1e-12)
      note <- paste0(note, sprintf(" Trap: wilcox.test(x, y, paired=TRUE) on the raw floating-point x - y gives V = %.17g, p = %.17g because rounding noise breaks ties; with digits.rank=7 it gives p = %.17g.",
                     wn$statistic, wn$p.value, quiet(wilcox.test(s$x, s$y, paired = TRUE, digits.rank = 7))$p.value))
  }
  add("wilcoxon", s$name, src("wilcox.test(d)", s), inp(s), e, note)
}

# ---------------------------------------------------------------- sign_flip
for (s in sets) {
  k <- s$k; n <- length(k); obs <- sum(k)
  cnt <- 1                                             # counts of sum |k| e, on the grid, by convolution
  for (a in abs(k)) { z <- numeric(2 * a); cnt <- c(cnt, z) + c(z, cnt) }
  at <- seq(-sum(abs(k)), sum(abs(k))); stopifnot(length(at) == length(cnt), sum(cnt) == 2^n)
  two <- sum(cnt[abs(at) >= abs(obs)]); one <- sum(cnt[at >= obs]); less <- sum(cnt[at <= obs])
  how <- "own counting over all 2^n sign assignments (convolution on the integer grid)"
  if (n <= 20) {                                       # the literal enumeration
    sums <- 0; for (a in k) sums <- c(sums + a, sums - a)
    stopifnot(length(sums) == 2^n, sum(abs(sums) >= abs(obs)) == two, sum(sums >= obs) == one)
    how <- "own enumeration of all 2^n sign assignments on integer differences"
  }
  add("sign_flip", s$name, paste0(how, "; data: ", s$about), list(d = s$d),
      list(n = n, sum = obs / s$grid, count = two, total = 2^n, p = two / 2^n, p_greater = one / 2^n, p_less = less / 2^n),
      if (s$name == "darwin") { stopifnot(round(two / 2^n, 5) == 0.05267); "Fisher (1935) gives 5.267 % for both tails; the count 1726 of 32768 is computed here." } else
      "Counted on exact integers; in floating point compare with a tolerance, sums of equal size must count as >=.")
}

# ---------------------------------------------------------------- sign_test
for (s in sets) {
  pos <- sum(s$d > 0); neg <- sum(s$d < 0); b <- binom.test(pos, pos + neg)
  chk(b$p.value, min(1, 2 * pbinom(min(pos, neg), pos + neg, .5)))
  add("sign_test", s$name, src("binom.test(n_positive, n_positive + n_negative)", s), list(d = s$d),
      list(n_positive = pos, n_negative = neg, n_zero = sum(s$d == 0), p = b$p.value, share_positive = unname(b$estimate),
           share_conf_low_95 = b$conf.int[1], share_conf_high_95 = b$conf.int[2]), "Zeros are dropped; interval is Clopper-Pearson.")
}

# ---------------------------------------------------------------- friedman
# distribution of the range of k standard normals, by quadrature
p_range <- function(q, k) {
  f <- function(z) k * dnorm(z) * (pnorm(z) - pnorm(z - q))^(k - 1)
  sum(vapply(list(c(-9, -2), c(-2, 0), c(0, 2), c(2, 4), c(4, 9 + q)), function(b)
    integrate(f, b[1], b[2], rel.tol = 1e-12, abs.tol = 1e-15, subdivisions = 500)$value, 0))
}
fried <- function(name, m, source, notes = NULL, cols = NULL) {
  m <- unname(as.matrix(m)); N <- nrow(m); k <- ncol(m)
  ft <- friedman.test(m)
  R <- t(apply(-m, 1, rank)); avg <- colMeans(R)
  plain <- 12 * N / (k * (k + 1)) * (sum(avg^2) - k * (k + 1)^2 / 4)
  tt <- sum(apply(R, 1, function(r) sum(table(r)^3 - table(r))))
  rel(ft$statistic, plain / (1 - tt / (N * k * (k^2 - 1))))
  Fof <- function(c2) if (N * (k - 1) - c2 < 1e-9) Inf else (N - 1) * c2 / (N * (k - 1) - c2)
  F <- Fof(unname(ft$statistic)); Fp <- Fof(plain); d1 <- k - 1; d2 <- (k - 1) * (N - 1)
  # F with ties = two-way ANOVA F on the ranks
  if (is.finite(F)) {
    aa <- anova(lm(as.vector(R) ~ factor(row(R)) + factor(col(R))))
    chk(aa[2, "F value"], F, 1e-8, name)
  }
  se <- sqrt(k * (k + 1) / (6 * N)); P <- matrix(1, k, k); Pf <- P
  for (i in 1:k) for (j in 1:k) if (i != j) {
    q <- abs(avg[i] - avg[j]) / se * sqrt(2)
    P[i, j] <- ptukey(q, k, Inf, lower.tail = FALSE); Pf[i, j] <- min(1, max(0, 1 - p_range(q, k)))
  }
  chk(P, Pf, 1e-6, paste("ptukey", name))
  qt05 <- qtukey(.95, k, Inf); qt10 <- qtukey(.9, k, Inf)
  qf <- function(p) uniroot(function(q) p_range(q, k) - p, c(.1, 10), tol = 1e-12)$root
  qf05 <- qf(.95); qf10 <- qf(.9); chk(qt05, qf05, 1e-3)
  e <- list(n_blocks = N, k = k, average_ranks = avg, statistic = unname(ft$statistic), df = unname(ft$parameter), p = ft$p.value,
            has_ties = tt > 0, statistic_no_tie_correction = plain, p_no_tie_correction = pchisq(plain, k - 1, lower.tail = FALSE),
            iman_davenport_f = F, iman_davenport_df1 = d1, iman_davenport_df2 = d2, iman_davenport_p = pf(F, d1, d2, lower.tail = FALSE),
            iman_davenport_f_no_tie_correction = Fp, iman_davenport_p_no_tie_correction = pf(Fp, d1, d2, lower.tail = FALSE),
            nemenyi_q_05 = qt05 / sqrt(2), nemenyi_cd_05 = qt05 / sqrt(2) * se, nemenyi_q_05_fine = qf05 / sqrt(2), nemenyi_cd_05_fine = qf05 / sqrt(2) * se,
            nemenyi_cd_10 = qt10 / sqrt(2) * se, nemenyi_cd_10_fine = qf10 / sqrt(2) * se,
            nemenyi_p = P, nemenyi_p_fine = Pf)
  inn <- list(scores = m); if (!is.null(cols)) inn$treatments <- cols
  add("friedman", name, source, inn, e,
      paste0("Rank 1 = best = largest score, ties get the average rank. statistic is friedman.test (with tie correction); *_no_tie_correction is Demsar's formula. nemenyi_cd_05 and nemenyi_p are from qtukey and ptukey (which iterate to limited accuracy), *_fine from own quadrature of the range distribution. f null = infinite.",
             if (is.null(notes)) "" else paste0(" ", notes)))
  invisible(e)
}
demsar <- matrix(c(
  .763, .768, .771, .798,  .599, .591, .590, .569,  .954, .971, .968, .967,  .628, .661, .654, .657,
  .882, .888, .886, .898,  .936, .931, .916, .931,  .661, .668, .609, .685,  .583, .583, .563, .625,
  .775, .838, .866, .875,  1, 1, 1, 1,              .940, .962, .965, .962,  .619, .666, .614, .669,
  .972, .981, .975, .975,  .957, .978, .946, .970), 14, 4, TRUE)
demsar_ranks <- matrix(c(
  4, 3, 2, 1,  1, 2, 3, 4,  4, 1, 2, 3,  4, 1, 3, 2,  4, 2, 3, 1,  1, 2.5, 4, 2.5,  3, 2, 4, 1,
  2.5, 2.5, 4, 1,  4, 3, 2, 1,  2.5, 2.5, 2.5, 2.5,  4, 2.5, 1, 2.5,  3, 2, 4, 1,  4, 1, 2, 3,  3, 1, 4, 2), 14, 4, TRUE)
c45 <- c("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
fried("demsar_table6_auc", demsar, "friedman.test; Demsar (2006) JMLR 7 Table 6, the AUCs as printed", cols = c45,
      notes = "On the printed AUCs the row 'voting' has a tie (.975, .975) that the paper ranks 2 and 3 (from unrounded AUCs), so the ranks are 3.143, 2.000, 2.929, 1.929 and not the published ones; see demsar_table6_ranks.")
ed <- fried("demsar_table6_ranks", 5 - demsar_ranks, "friedman.test; Demsar (2006) JMLR 7 Table 6, scores = 5 - the ranks printed in the table", cols = c45,
      notes = "Published: average ranks 3.143, 2.000, 2.893, 1.964; chi2 = 9.28 and F = 3.69 (both without tie correction), CD(.05) = 1.25, CD(.10) = 1.12.")
stopifnot(all(round(ed$average_ranks, 3) == c(3.143, 2, 2.893, 1.964)), round(ed$statistic_no_tie_correction, 2) == 9.28,
          round(ed$iman_davenport_f_no_tie_correction, 2) == 3.69, round(ed$nemenyi_cd_05, 2) == 1.25, round(ed$nemenyi_cd_10, 2) == 1.12)
RoundingTimes <- matrix(c(
  5.40, 5.50, 5.55, 5.85, 5.70, 5.75, 5.20, 5.60, 5.50, 5.55, 5.50, 5.40, 5.90, 5.85, 5.70, 5.45, 5.55, 5.60, 5.40, 5.40, 5.35,
  5.45, 5.50, 5.35, 5.25, 5.15, 5.00, 5.85, 5.80, 5.70, 5.25, 5.20, 5.10, 5.65, 5.55, 5.45, 5.60, 5.35, 5.45, 5.05, 5.00, 4.95,
  5.50, 5.50, 5.40, 5.45, 5.55, 5.50, 5.55, 5.55, 5.35, 5.45, 5.50, 5.55, 5.50, 5.45, 5.25, 5.65, 5.60, 5.40, 5.70, 5.65, 5.55,
  6.30, 6.30, 6.25), 22, 3, TRUE)
er <- fried("rounding_times", RoundingTimes, "?friedman.test, Hollander and Wolfe (1973) p. 140ff", cols = c("Round Out", "Narrow Angle", "Wide Angle"))
stopifnot(round(er$statistic, 3) == 11.143, er$df == 2)      # as on the help page
wb <- aggregate(warpbreaks$breaks, by = list(w = warpbreaks$wool, t = warpbreaks$tension), FUN = mean)
fried("warpbreaks", tapply(wb$x, list(wb$w, wb$t), mean), "?friedman.test, warpbreaks means by wool (block) x tension")
es <- as.data.frame(nlme::ergoStool)
fried("ergo_stool", tapply(es$effort, list(as.character(es$Subject), as.character(es$Type)), mean), "friedman.test; nlme::ergoStool, subjects x stool types")
fried("orchard_sprays", tapply(OrchardSprays$decrease, list(OrchardSprays$rowpos, OrchardSprays$treatment), mean), "friedman.test; datasets::OrchardSprays, row x treatment")
fried("attitude", attitude[, -1], "friedman.test; datasets::attitude without rating, 30 departments x 6 questions")
fried("oats_nitrogen", tapply(MASS::oats$Y, list(MASS::oats$B, MASS::oats$N), mean), "friedman.test; MASS::oats, mean over varieties, block x nitrogen")
fried("all_agree_n3_k3", matrix(c(.91, .88, .80, .95, .90, .85, .89, .86, .84), 3, 3, TRUE), "friedman.test; made", notes = "Perfect agreement: chi2 = N(k-1), F infinite, its p = 0.")
fried("no_effect_n4_k4", matrix(c(4, 3, 2, 1, 3, 4, 1, 2, 2, 1, 4, 3, 1, 2, 3, 4), 4, 4, TRUE) / 10, "friedman.test; made (Latin square)", notes = "Equal average ranks: statistic 0, p 1.")
set.seed(11)
fried("acc_n10_k5", matrix(round(180 + rnorm(50, rep(c(0, 1, 2, 3, 4), each = 10), 3)), 10) / 200, "friedman.test; made (set.seed): accuracies over 200 rows, ties")
fried("acc_n30_k3", matrix(round(180 + rnorm(90, rep(c(0, 0.5, 1), each = 30), 3)), 30) / 200, "friedman.test; made (set.seed): accuracies over 200 rows, ties")
fried("scores_n12_k10", matrix(round(rnorm(120, rep(seq(0, .5, length.out = 10), each = 12), .4), 4), 12), "friedman.test; made (set.seed): ten treatments, no ties")
fried("scores_n5_k4", matrix(round(rnorm(20, rep(c(0, .4, .6, .8), each = 5), .3), 3), 5), "friedman.test; made (set.seed)")

# ---------------------------------------------------------------- p_adjust
set.seed(5)
pv <- list(
  one = .03, two = c(.01, .04), three_up = c(.01, .02, .03), holm_textbook = c(.01, .04, .03, .005),
  ties = c(.02, .02, .02, .5), with_ones = c(1, .001, 1, .04, 1), all_ones = c(1, 1, 1), zero_in = c(0, .2, .03),
  demsar_3 = c(.016, .019, .607),
  bh_1995 = c(.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1),
  ten = round(c(rbeta(5, .3, 6), runif(5)), 4), twenty_ties = round(c(rbeta(8, .3, 8), runif(12)), 2),
  fortyfive = c(rbeta(20, .25, 8), runif(22), .01, .01, 1), small_gaps = c(.011, .012, .013, .014, .049, .0499),
  signflip_n10 = c(2, 2, 6, 10, 42, 128, 512, 1024) / 1024)
for (nm in names(pv)) {
  p <- pv[[nm]]; e <- list()
  for (me in c("holm", "hommel", "bonferroni", "BH", "BY")) e[[me]] <- arr(p.adjust(p, me))
  m <- length(p); o <- order(p); hand <- numeric(m); hand[o] <- pmin(1, cummax((m - seq_len(m) + 1) * p[o])); chk(hand, p.adjust(p, "holm"), 1e-14)
  # Hommel by closed testing with Simes tests for small families
  if (m <= 10) {
    hom <- rep(0, m)
    for (b in 1:(2^m - 1)) { in_ <- which(bitwAnd(b, 2^(0:(m - 1))) > 0); q <- sort(p[in_]); si <- min(length(q) * q / seq_along(q)); hom[in_] <- pmax(hom[in_], si) }
    chk(pmin(1, hom), p.adjust(p, "hommel"), 1e-13, "hommel")
  }
  add("p_adjust", nm, paste0("p.adjust", if (nm == "bh_1995") "; p values of the example in Benjamini and Hochberg (1995)" else if (nm == "demsar_3") "; p values of Demsar (2006) sec. 3.2.2" else ""),
      list(p = arr(p)), e)
}

# ---------------------------------------------------------------- effect_size
# noncentral t distribution function by quadrature over s = sqrt(chi2/df)
pnct <- function(t, df, ncp, abs_tol = 1e-16) {
  f <- function(s) pnorm(t * s - ncp) * exp(log(2) + log(df) / 2 + dchi_log(s * sqrt(df), df))
  dchi_log <- function(u, v) (v - 1) * log(u) - u^2 / 2 - (v / 2) * log(2) - lgamma(v / 2)
  top <- sqrt(qchisq(1e-20, df, lower.tail = FALSE) / df); cuts <- sort(unique(c(0, sqrt(qchisq(c(1e-6, .01, .2, .5, .8, .99, 1 - 1e-6), df) / df), pmin(top, pmax(0, ncp / t + c(-2, 0, 2) / abs(t))), top)))
  cuts <- cuts[is.finite(cuts)]; tot <- 0
  for (i in seq_len(length(cuts) - 1)) if (cuts[i + 1] > cuts[i]) tot <- tot + integrate(f, cuts[i], cuts[i + 1], rel.tol = 1e-12, abs.tol = abs_tol, subdivisions = 1000, stop.on.error = FALSE)$value
  tot
}
chk(pnct(1.3, 7, 0), pt(1.3, 7), 1e-11); chk(pnct(2.5, 9, 1.2), pt(2.5, 9, 1.2), 1e-10)
ncp_for <- function(t, df, p) uniroot(function(z) quiet(pt(t, df, z)) - p, c(t - 6, t + 6), tol = 1e-12, extendInt = "downX")$root
for (s in sets) {
  d <- s$d; n <- length(d); v <- n - 1; t <- sqrt(n) * mean(d) / sd(d)
  if (mean(d) == 0 || abs(t) < 1e-12) t <- 0
  dz <- t / sqrt(n); J <- gamma(v / 2) / (sqrt(v / 2) * gamma((v - 1) / 2))
  lo <- ncp_for(t, v, .975); hi <- ncp_for(t, v, .025); lo9 <- ncp_for(t, v, .95); hi9 <- ncp_for(t, v, .05)
  if (t != 0) { chk(pnct(t, v, lo), .975, 1e-9, s$name); chk(pnct(t, v, hi), .025, 1e-9, s$name) }
  add("effect_size", s$name, src("d_z = mean/sd; 95 % interval: pt(t, n-1, ncp) inverted by uniroot(tol=1e-12); g_z = J d_z, J exact by gamma()", s), list(d = d),
      list(n = n, df = v, t = t, d_z = dz, d_z_conf_low_95 = lo / sqrt(n), d_z_conf_high_95 = hi / sqrt(n), d_z_conf_low_90 = lo9 / sqrt(n), d_z_conf_high_90 = hi9 / sqrt(n),
           hedges_j = J, g_z = J * dz))
}

# ---------------------------------------------------------------- cliffs_delta
cliff <- function(name, x, y, about) {
  g <- sum(outer(x, y, ">")); l <- sum(outer(x, y, "<")); q <- sum(outer(x, y, "==")); nm <- length(x) * length(y)
  W <- unname(quiet(wilcox.test(x, y)$statistic)); stopifnot(W == g + q / 2)
  add("cliffs_delta", name, paste("outer comparisons and wilcox.test(x, y)$statistic / (n m); data:", about), list(x = arr(x), y = arr(y)),
      list(n_greater = g, n_less = l, n_equal = q, delta = (g - l) / nm, a12 = (g + q / 2) / nm, wilcoxon_w = W, p_x_greater_y = W / nm))
}
for (nm in c("sleep", "darwin_inches", "acc_n3", "acc_n5", "acc_n6_down", "acc_n8_ties", "acc_n10_ties", "pct_n8", "acc_n20", "attitude"))
  cliff(nm, sets[[nm]]$x, sets[[nm]]$y, sets[[nm]]$about)
pg <- split(PlantGrowth$weight, PlantGrowth$group); cliff("plant_growth_trt2_ctrl", pg$trt2, pg$ctrl, "datasets::PlantGrowth")
cliff("unequal_n", c(.9, .91, .93), c(.9, .88, .91, .92, .87), "made, unequal sizes, ties"); cliff("all_greater", c(3, 4, 5), c(0, 1, 2, 2.5), "made, complete separation")
cliff("all_equal", c(.5, .5, .5), c(.5, .5, .5, .5), "made, all equal"); cliff("insect_c_d", InsectSprays$count[InsectSprays$spray == "D"], InsectSprays$count[InsectSprays$spray == "C"], "datasets::InsectSprays, x = D, y = C")

# ---------------------------------------------------------------- power
for (g in list(c(3, 1, 1, .05), c(5, .01, .01, .05), c(10, .5, 1, .05), c(10, .02, .015, .05), c(15, .2, 1, .05), c(20, .8, 1, .01), c(30, .3, 1, .10), c(8, 0, 1, .05), c(6, 3, 1, .05))) {
  n <- g[1]; de <- g[2]; sg <- g[3]; al <- g[4]
  p <- power.t.test(n = n, delta = de, sd = sg, sig.level = al, type = "paired", strict = TRUE)$power
  if (de > 0) { tc <- qt(1 - al / 2, n - 1); nc <- sqrt(n) * de / sg; chk(p, 1 - pnct(tc, n - 1, nc) + pnct(-tc, n - 1, nc), 1e-9) } else chk(p, al)
  add("power", sprintf("paired_t_n%g_d%g_s%g_a%g", n, de, sg, al), "power.t.test(type='paired', strict=TRUE)", list(kind = "paired_t", n = n, delta = de, sd = sg, alpha = al), list(power = p),
      "sd is the standard deviation of the differences; strict counts both tails")
}
for (g in list(c(.5, 1, .05), c(1, 1, .05), c(.2, 1, .05), c(.01, .015, .05), c(.8, 1, .01), c(.3, 1, .10), c(1.5, 1, .05))) for (pw in c(.8, .9)) {
  r <- power.t.test(delta = g[1], sd = g[2], sig.level = g[3], power = pw, type = "paired", strict = TRUE, tol = 1e-11)$n
  at <- function(n) power.t.test(n = n, delta = g[1], sd = g[2], sig.level = g[3], type = "paired", strict = TRUE)$power
  N <- ceiling(r); stopifnot(at(N) >= pw, at(N - 1) < pw)
  add("power", sprintf("paired_t_n_for_%g_d%g_s%g_a%g", pw, g[1], g[2], g[3]), "power.t.test(power=, type='paired', strict=TRUE, tol=1e-11)", list(kind = "paired_t_n", power = pw, delta = g[1], sd = g[2], alpha = g[3]),
      list(n_fractional = r, n = N, power_at_n = at(N), power_at_n_minus_1 = at(N - 1)))
}
# TOST: P(-m + t s/sqrt n < mean < m - t s/sqrt n), integrated over s
tost_power <- function(n, sd, m, al, de = 0) {
  v <- n - 1; tc <- qt(1 - al, v); top <- m * sqrt(n) / (tc * sd)               # s/sigma up to here
  ls <- function(s) log(2) + log(v) / 2 + (v - 1) * log(s * sqrt(v)) - v * s^2 / 2 - (v / 2) * log(2) - lgamma(v / 2)
  f <- function(s) pmax(0, pnorm((m - de) * sqrt(n) / sd - tc * s) - pnorm((-m - de) * sqrt(n) / sd + tc * s)) * exp(ls(s))
  cuts <- sort(unique(pmin(top, c(0, sqrt(qchisq(c(1e-6, .01, .2, .5, .8, .99, 1 - 1e-6), v) / v), sqrt(qchisq(1e-18, v, lower.tail = FALSE) / v)))))
  if (top < max(cuts)) cuts <- c(cuts, top)
  cuts <- sort(unique(cuts)); tot <- 0
  for (i in seq_len(length(cuts) - 1)) tot <- tot + integrate(f, cuts[i], cuts[i + 1], rel.tol = 1e-12, abs.tol = 1e-16, subdivisions = 1000)$value
  tot
}
# the same by the tanh-sinh rule on (0, top)
tost_power2 <- function(n, sd, m, al, de = 0, K = 4000) {
  v <- n - 1; tc <- qt(1 - al, v); top <- min(m * sqrt(n) / (tc * sd), sqrt(qchisq(1e-18, v, lower.tail = FALSE) / v))
  z <- seq(-3.6, 3.6, length.out = K); hz <- z[2] - z[1]; q <- pi / 2 * sinh(z); s <- top / (1 + exp(-2 * q)); jac <- top * pi / 2 * cosh(z) / (2 * cosh(q)^2)
  dens <- 2 * s * v * dchisq(v * s^2, v)
  sum(pmax(0, pnorm((m - de) * sqrt(n) / sd - tc * s) - pnorm((-m - de) * sqrt(n) / sd + tc * s)) * dens * jac) * hz
}
for (g in list(c(5, .01, .01, .05), c(5, .01, .02, .05), c(10, 1, .5, .05), c(10, 1, 1, .05), c(20, 1, .5, .05), c(20, .02, .015, .10), c(30, 1, .5, .025), c(3, 1, 2, .05)))
  for (de in c(0, g[3] / 2)) {
    p <- tost_power(g[1], g[2], g[3], g[4], de); chk(p, tost_power2(g[1], g[2], g[3], g[4], de), 1e-9, "tost power")
    add("power", sprintf("tost_n%g_s%g_m%g_a%g_true%g", g[1], g[2], g[3], g[4], de), "integral over s of P(-m + t s/sqrt n < mean < m - t s/sqrt n), t = qt(1-alpha, n-1); integrate(rel.tol=1e-12), checked by tanh-sinh",
        list(kind = "tost", n = g[1], sd = g[2], margin = g[3], alpha = g[4], true_difference = de), list(power = p), "each of the two one-sided tests at alpha")
  }
for (al in c(.05, .025)) for (mm in c(.5, 1, 2)) for (pw in c(.8, .9)) {
  n <- 2; while (tost_power(n, 1, mm, al) < pw) n <- n + 1
  add("power", sprintf("tost_n_for_%g_m%gsd_a%g", pw, mm, al), "smallest n from 2 with the power above", list(kind = "tost_n", sd = 1, margin = mm, alpha = al, true_difference = 0, power = pw),
      list(n = n, power_at_n = tost_power(n, 1, mm, al), power_at_n_minus_1 = if (n > 2) tost_power(n - 1, 1, mm, al) else NA))
}
for (g in list(c(5, .01, .01, .03, .05), c(10, 1, .5, 1.5, .05), c(10, 1, .2, 1, .05), c(20, 1, .2, .7, .05), c(30, .02, .01, .02, .01), c(8, 1, .5, .5, .05), c(12, 1, .25, -1, .05))) {
  n <- g[1]; sg <- g[2]; m <- g[3]; de <- g[4]; al <- g[5]; v <- n - 1
  # by quadrature, since R's noncentral pt has absolute, not relative, accuracy (about 1e-12); pt agrees to 1e-9 absolutely
  up <- function(a) pnct(-qt(1 - a, v), v, -(de - m) * sqrt(n) / sg, 0)
  dn <- function(a) pnct(-qt(1 - a, v), v, (de + m) * sqrt(n) / sg, 0)
  for (a in c(al, al / 2)) { tc <- qt(1 - a, v); chk(up(a), quiet(pt(tc, v, (de - m) * sqrt(n) / sg, lower.tail = FALSE)), 1e-9); chk(dn(a), quiet(pt(-tc, v, (de + m) * sqrt(n) / sg)), 1e-9) }
  add("power", sprintf("minimal_effect_n%g_s%g_m%g_d%g_a%g", n, sg, m, de, al), "noncentral t with ncp = (delta -+ margin) sqrt(n)/sd by own quadrature (pt agrees to 1e-9 absolutely)",
      list(kind = "minimal_effect", n = n, sd = sg, margin = m, delta = de, alpha = al),
      list(power_one_sided_greater = up(al), power_one_sided_less = dn(al), power_two_sided = up(al / 2) + dn(al / 2)),
      "one-sided: t.test(mu=m, greater) at alpha. two-sided: p = 2 min(p_greater, p_less) <= alpha; the two events exclude each other, so the powers at alpha/2 add")
}
for (g in list(c(1, .5, 1.5, .05), c(1, .2, 1, .05), c(.01, .01, .02, .05))) for (pw in c(.8, .9)) {
  f <- function(n) quiet(pt(qt(1 - g[4] / 2, n - 1), n - 1, (g[3] - g[2]) * sqrt(n) / g[1], lower.tail = FALSE) + pt(-qt(1 - g[4] / 2, n - 1), n - 1, (g[3] + g[2]) * sqrt(n) / g[1]))
  f1 <- function(n) quiet(pt(qt(1 - g[4], n - 1), n - 1, (g[3] - g[2]) * sqrt(n) / g[1], lower.tail = FALSE))
  n <- 2; while (f(n) < pw) n <- n + 1; n1 <- 2; while (f1(n1) < pw) n1 <- n1 + 1
  add("power", sprintf("minimal_effect_n_for_%g_s%g_m%g_d%g", pw, g[1], g[2], g[3]), "smallest n from 2, noncentral pt",
      list(kind = "minimal_effect_n", sd = g[1], margin = g[2], delta = g[3], alpha = g[4], power = pw), list(n_two_sided = n, power_at_n_two_sided = f(n), n_one_sided = n1, power_at_n_one_sided = f1(n1)))
}

# ---------------------------------------------------------------- anova
term_rows <- function(ss, df, rss, rdf, terms) lapply(seq_along(terms), function(i) {
  F <- (ss[i] / df[i]) / (rss / rdf); list(term = terms[i], ss = ss[i], df = df[i], f = F, p = pf(F, df[i], rdf, lower.tail = FALSE)) })
in_anova <- function(dat, factors, model, type) { cols <- lapply(dat, function(z) if (is.factor(z)) as.character(z) else z)
  list(columns = cols, response = "y", block = "seed", factors = arr(factors), model = model, ss_type = type) }
do_balanced <- function(name, dat, factors, source, notes = NULL, model = paste("y ~ seed +", paste(factors, collapse = "*"))) {
  for (z in c("seed", factors)) dat[[z]] <- factor(dat[[z]], levels = unique(as.character(dat[[z]])))
  a <- summary(aov(as.formula(model), dat))[[1]]; terms <- trimws(rownames(a)); r <- which(terms == "Residuals")
  rows <- term_rows(a[-r, 2], a[-r, 1], a[r, 2], a[r, 1], terms[-r]); chk(sapply(rows, function(z) z$p), a[-r, 5], 1e-9)
  add("anova", name, paste0("summary(aov(", model, ")); data: ", source), in_anova(dat[c("seed", factors, "y")], factors, model, 1),
      list(terms = rows, residual_ss = a[r, 2], residual_df = a[r, 1], residual_ms = a[r, 3]), notes)
}
do_unbalanced <- function(name, dat, factors, source, notes = NULL) {
  for (z in c("seed", factors)) dat[[z]] <- factor(dat[[z]], levels = unique(as.character(dat[[z]])))
  full_f <- paste("y ~ seed +", paste(factors, collapse = "*")); full <- lm(as.formula(full_f), dat); stopifnot(!anyNA(coef(full)))
  terms <- attr(terms(full), "term.labels"); parts <- strsplit(terms, ":"); rss <- deviance(full); rdf <- df.residual(full); ss <- df <- numeric(length(terms))
  for (i in seq_along(terms)) {      # type II: against all terms that do not contain it
    keep <- terms[!vapply(parts, function(p) all(parts[[i]] %in% p), NA)]
    small <- lm(reformulate(if (length(keep)) keep else "1", "y"), dat); big <- lm(reformulate(c(keep, terms[i]), "y"), dat)
    cmp <- anova(small, big); ss[i] <- cmp[2, "Sum of Sq"]; df[i] <- cmp[2, "Df"]
  }
  ca <- car::Anova(full, type = 2); rel(ss, ca[seq_along(terms), "Sum Sq"], 1e-8, "car"); chk(df, ca[seq_along(terms), "Df"])
  rows <- term_rows(ss, df, rss, rdf, terms); chk(sapply(rows, function(z) z$p), ca[seq_along(terms), "Pr(>F)"], 1e-9)
  add("anova", name, paste0("type II by anova(small, big) of lm fits, error from ", full_f, " (agrees with car::Anova(type=2)); data: ", source), in_anova(dat[c("seed", factors, "y")], factors, full_f, 2),
      list(terms = rows, residual_ss = rss, residual_df = rdf, residual_ms = rss / rdf), paste(c("Each term is adjusted for every term that does not contain it.", notes), collapse = " "))
}
o <- MASS::oats; do_balanced("oats", data.frame(seed = o$B, A = o$V, B = o$N, y = o$Y), c("A", "B"), "MASS::oats, seed = block, A = variety, B = nitrogen (the split plot ignored)")
set.seed(3)
mk2 <- function(ns, a, b, f) { z <- expand.grid(seed = paste0("s", 1:ns), A = a, B = b, stringsAsFactors = FALSE); z$y <- f(z); z }
d22 <- mk2(5, c("off", "on"), c("small", "large"), function(z) round(180 + 4 * (z$A == "on") + 2 * (z$B == "large") + 3 * (z$A == "on" & z$B == "large") + rnorm(5, 0, 2)[as.integer(factor(z$seed))] + rnorm(nrow(z), 0, 1.5)) / 200)
do_balanced("acc_2x2_5seeds", d22, c("A", "B"), "made (set.seed): accuracies over 200 rows")
d34 <- mk2(8, c("a1", "a2", "a3"), c("b1", "b2", "b3", "b4"), function(z) round(70 + 1.5 * (z$A == "a2") - (z$B == "b3") + rnorm(8)[as.integer(factor(z$seed))] + rnorm(nrow(z)), 2))
do_balanced("pct_3x4_8seeds", d34, c("A", "B"), "made (set.seed): percentages")
d23 <- mk2(3, c("p", "q"), c("u", "v", "w"), function(z) round(rnorm(nrow(z), 0.5, .1), 3)); do_balanced("null_2x3_3seeds", d23, c("A", "B"), "made (set.seed): no effects")
mk3 <- function(ns, a, b, c_, f) { z <- expand.grid(seed = paste0("s", 1:ns), A = a, B = b, C = c_, stringsAsFactors = FALSE); z$y <- f(z); z }
d222 <- mk3(4, c("0", "1"), c("0", "1"), c("0", "1"), function(z) round(80 + 2 * (z$A == "1") + (z$B == "1") * (z$C == "1") * 1.5 + rnorm(4)[as.integer(factor(z$seed))] + rnorm(nrow(z), 0, .8), 1))
do_balanced("pct_2x2x2_4seeds", d222, c("A", "B", "C"), "made (set.seed): 2^3 ablation")
d232 <- mk3(6, c("n", "y"), c("lo", "mid", "hi"), c("k", "l"), function(z) round(rnorm(nrow(z), 0.8 + .02 * (z$A == "y") + .01 * (z$B == "hi"), .02) + rnorm(6, 0, .015)[as.integer(factor(z$seed))], 4))
do_balanced("score_2x3x2_6seeds", d232, c("A", "B", "C"), "made (set.seed)")
do_balanced("npk", data.frame(seed = npk$block, A = npk$N, B = npk$P, C = npk$K, y = npk$yield), c("A", "B", "C"), "datasets::npk, seed = block, A = N, B = P, C = K (?npk)",
            "Confounded design: A:B:C is confounded with the blocks, so aov(y ~ seed + A*B*C) has no row for it; 4 of the 8 cells per block.")
drop_rows <- function(z, k) z[-k, ]
do_unbalanced("type2_2x2_5seeds", drop_rows(d22, c(3, 12)), c("A", "B"), "acc_2x2_5seeds without rows 3 and 12")
do_unbalanced("type2_3x4_8seeds", drop_rows(d34, c(2, 17, 18, 40, 55, 71, 90)), c("A", "B"), "pct_3x4_8seeds without 7 rows")
do_unbalanced("type2_2x2x2_4seeds", drop_rows(d222, c(1, 14, 27)), c("A", "B", "C"), "pct_2x2x2_4seeds without 3 rows")
do_unbalanced("type2_2x3x2_6seeds", drop_rows(d232, c(5, 6, 22, 33, 50, 61)), c("A", "B", "C"), "score_2x3x2_6seeds without 6 rows")
do_unbalanced("type2_oats", drop_rows(data.frame(seed = o$B, A = o$V, B = o$N, y = o$Y), c(1, 9, 30, 31, 66)), c("A", "B"), "MASS::oats without rows 1, 9, 30, 31, 66")

# ---------------------------------------------------------------- mixed_model
reml_oneway <- function(y, b) {                       # exact profile REML of y ~ 1 + (1|b)
  b <- factor(b); nb <- as.vector(table(b)); mb <- as.vector(tapply(y, b, mean)); N <- length(y); ssw <- sum((y - mb[as.integer(b)])^2)
  st <- function(th) { w <- nb / (1 + th * nb); mu <- sum(w * mb) / sum(w); Q <- ssw + sum(w * (mb - mu)^2); list(w = w, mu = mu, Q = Q) }
  crit <- function(th) { z <- st(th); (N - 1) * (1 + log(2 * pi * z$Q / (N - 1))) + sum(log(1 + th * nb)) + log(sum(z$w)) }
  grad <- function(th) { z <- st(th); -(N - 1) * sum(z$w^2 * (mb - z$mu)^2) / z$Q + sum(z$w) - sum(z$w^2) / sum(z$w) }
  th <- if (grad(0) >= 0) 0 else { hi <- 1; while (grad(hi) < 0) hi <- hi * 2; uniroot(grad, c(0, hi), tol = 1e-15, maxiter = 10000)$root }
  z <- st(th); s2 <- z$Q / (N - 1)
  list(estimate = z$mu, se = sqrt(s2 / sum(z$w)), sd_between = sqrt(th * s2), sd_residual = sqrt(s2), reml_criterion = crit(th))
}
mixed <- function(name, y, b, about) {
  b <- as.character(b); dat <- data.frame(y = y, b = factor(b, levels = unique(b)))
  f <- quiet(suppressMessages(lmer(y ~ 1 + (1 | b), dat, REML = TRUE, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), check.conv.singular = "ignore"))))
  vc <- as.data.frame(VarCorr(f)); l4 <- list(estimate = unname(fixef(f)), se = sqrt(vcov(f)[1, 1]), sd_between = vc$sdcor[1], sd_residual = vc$sdcor[2], reml_criterion = as.numeric(REMLcrit(f)))
  r <- reml_oneway(y, dat$b); sc <- sd(y)
  for (k in names(r)) { tol <- if (k == "sd_between") 2e-5 else if (k == "reml_criterion") 1e-9 else 1e-5; s <- if (k == "reml_criterion") 1 else sc; if (abs(r[[k]] - l4[[k]]) > tol * max(s, if (k == "reml_criterion") abs(r[[k]]) else 0)) stop("lme4 ", name, " ", k, " ", r[[k]], " ", l4[[k]]) }
  g <- nlme::lme(y ~ 1, random = ~ 1 | b, data = dat, method = "REML", control = nlme::lmeControl(msTol = 1e-12, tolerance = 1e-12, returnObject = TRUE, opt = "optim", maxIter = 500, msMaxIter = 500))
  vn <- nlme::VarCorr(g); nl <- list(estimate = unname(nlme::fixef(g)), se = sqrt(g$varFix[1, 1]), sd_between = as.numeric(vn[1, 2]), sd_residual = as.numeric(vn[2, 2]), reml_criterion = -2 * as.numeric(logLik(g)))
  chk(nl$reml_criterion, r$reml_criterion, 1e-6, "nlme"); if (abs(nl$se - r$se) > 2e-3 * r$se) stop("nlme se ", name, " ", nl$se, " ", r$se)
  if (name == "dyestuff") stopifnot(r$estimate == 1527.5, round(r$se, 2) == 19.38, round(c(r$sd_between, r$sd_residual), 2) == c(42, 49.51))
  if (name == "rail") stopifnot(r$estimate == 66.5, round(r$se, 5) == 10.17104, round(r$sd_between, 5) == 24.80547, round(r$sd_residual, 6) == 4.020779)
  add("mixed_model", name, paste("REML of delta ~ 1 + (1|block): lme4::lmer (bobyqa, rhoend 1e-10), polished by the exact profile criterion (uniroot on its derivative); nlme::lme checked; data:", about),
      list(delta = y, block = b), c(r, list(singular = r$sd_between == 0, lme4 = l4, nlme = nl)), "expect.* is the polished optimum; lme4 and nlme are what the packages return (nlme cannot return exactly 0).")
}
mixed("dyestuff", as.numeric(lme4::Dyestuff$Yield), lme4::Dyestuff$Batch, "lme4::Dyestuff (published: 1527.5, s.e. 19.38, sds 42.00 and 49.51)")
mixed("dyestuff2", lme4::Dyestuff2$Yield, lme4::Dyestuff2$Batch, "lme4::Dyestuff2 (singular: between sd = 0)")
rl <- as.data.frame(nlme::Rail); mixed("rail", as.numeric(rl$travel), rl$Rail, "nlme::Rail (published: 66.5, s.e. 10.17104, sds 24.80547 and 4.020779)")
set.seed(9)
mmk <- function(nb, tau, sig, mu, dig) { b <- rep(seq_along(nb), nb); list(y = round(mu + rnorm(length(nb), 0, tau)[b] + rnorm(length(b), 0, sig), dig), b = paste0("task", b)) }
for (z in list(list("acc_4x5", rep(5, 4), .01, .01, .012, 3), list("acc_8x3", rep(3, 8), .02, .008, .01, 3), list("unbalanced_5", c(3, 5, 4, 8, 2), 1.2, 1, .8, 2), list("unbalanced_10", c(5, 3, 6, 2, 9, 4, 4, 7, 3, 10), .6, 1.5, -.4, 2), list("three_blocks", rep(10, 3), .05, .02, .03, 4), list("weak_6x5", rep(5, 6), .1, 1, .5, 2))) {
  m <- mmk(z[[2]], z[[3]], z[[4]], z[[5]], z[[6]]); mixed(z[[1]], m$y, m$b, "made (set.seed)") }

# ---------------------------------------------------------------- iqm
iq <- list(n3 = c(.2, .9, .4), n4 = c(1, 2, 3, 100), n5 = c(.91, .87, .95, .5, .93), n6 = c(3, 1, 2, 10, 20, -5), n7 = sets$tiny_n7$x, n8 = sets$acc_n8_ties$x, n10 = sets$sleep$d, n15 = sets$reward_n15$x, n30 = sets$pct_n30$x, darwin = sets$darwin$d)
for (nm in names(iq)) { x <- iq[[nm]]; k <- floor(length(x) * .25); chk(mean(x, trim = .25), mean(sort(x)[(k + 1):(length(x) - k)]))
  add("iqm", nm, "mean(x, trim=.25)", list(x = x), list(iqm = mean(x, trim = .25)), "R cuts floor(n/4) scores from each end (as scipy.stats.trim_mean), no fractional weights") }

# ---------------------------------------------------------------- bayes_t
ropes <- list(sleep = .5, darwin = 8, shoes = .25, acc_n3 = .005, acc_n5 = .01, acc_n10_ties = .01, acc_n20 = .01, loss_n12 = .005, pct_n30 = .5, acc_n6_down = .01, balanced_n6 = .02, anorexia_cbt = 2)
for (nm in names(ropes)) { s <- sets[[nm]]; d <- s$d; n <- length(d); ro <- ropes[[nm]]; sc <- sd(d) / sqrt(n); F <- function(q, l) pt((q - mean(d)) / sc, n - 1, lower.tail = l)
  lo <- F(-ro, TRUE); hi <- F(ro, FALSE); mid <- F(ro, TRUE) - F(-ro, TRUE); chk(lo + mid + hi, 1, 1e-13)
  add("bayes_t", nm, src("pt((q - mean)/(sd/sqrt(n)), n-1): Student t posterior of the mean under the reference prior", s), list(d = d, rope = ro),
      list(df = n - 1, location = mean(d), scale = sc, p_below = lo, p_rope = mid, p_above = hi, p_positive = F(0, FALSE), interval_low_95 = mean(d) + sc * qt(.025, n - 1), interval_high_95 = mean(d) + sc * qt(.975, n - 1))) }

# ---------------------------------------------------------------- t_mixture
log_e <- function(n, t, g) { v <- n - 1; r <- 1 + n * g^2; -log(r) / 2 + n / 2 * (log1p(t^2 / v) - log1p(t^2 / (v * r))) }
tmix <- function(s, mu0, g) {
  d <- s$d; n <- length(d); v <- n - 1; r <- 1 + n * g^2; se <- sd(d) / sqrt(n); t <- (mean(d) - mu0) / se; le <- log_e(n, t, g)
  direct <- r^(-1 / 2) * ((1 + t^2 / v) / (1 + t^2 / (v * r)))^(n / 2); rel(direct, exp(le), 1e-10)
  if (abs(t) < 12) {                                   # it is the Bayes factor with delta ~ N(0, g^2): integrate the likelihood of t
    top <- t / sqrt(n); w <- function(z) quiet(dt(t, v, sqrt(n) * z)) * dnorm(z, 0, g)
    b <- sort(unique(c(-7 * g, -g, 0, g, top, 7 * g))); bf <- sum(vapply(seq_len(length(b) - 1), function(i) integrate(w, b[i], b[i + 1], rel.tol = 1e-9, subdivisions = 1000)$value, 0)) / dt(t, v); rel(bf, direct, 1e-5, paste(s$name, "bayes factor"))
  }
  iv <- function(al) {
    if ((n - 1) / 2 * log(r) <= log(1 / al)) return(NULL)   # E < 1/alpha whatever t is
    C <- (sqrt(r) / al)^(2 / n); tt <- sqrt(v * (C - 1) / (1 - C / r))     # closed form
    hi <- 1; while (log_e(n, hi, g) < -log(al)) hi <- hi * 2
    u <- uniroot(function(z) log_e(n, z, g) + log(al), c(0, hi), tol = 1e-13, maxiter = 10000)$root; rel(u, tt, 1e-9, "t_mixture interval")
    arr(c(mean(d) - u * se, mean(d) + u * se))
  }
  e <- list(n = n, t = t, e_value = direct, log_e_value = le)
  e["interval_05"] <- list(iv(.05)); e["interval_10"] <- list(iv(.10))
  add("t_mixture", sprintf("%s_mu%g_g%g", s$name, mu0, g), src("the closed form; interval by uniroot(tol=1e-13), checked against its closed form", s), list(d = d, mu0 = mu0, g = g), e,
      "interval null = unbounded: E cannot exceed (1 + n g^2)^((n-1)/2), which is not above 1/alpha. With g = 1, n = 3 is unbounded for both, n = 4 only for .05.")
}
tmix(sets$sleep, 0, 1); tmix(sets$sleep, 1, 1); tmix(sets$darwin, 0, 1); tmix(sets$acc_n3, 0, 1); tmix(sets$acc_n4_up, 0, 1); tmix(sets$acc_n5, 0, 1); tmix(sets$acc_n5, .01, 1); tmix(sets$acc_n10_ties, 0, 1)
tmix(sets$acc_n6_down, 0, 1); tmix(sets$balanced_n6, 0, 1); tmix(sets$acc_n20, 0, 1); tmix(sets$pct_n30, 0, 1); tmix(sets$loss_n12, 0, .5); tmix(sets$acc_n5, 0, 2); tmix(sets$shoes, 0, 1); tmix(sets$reward_n15, 0, 1); tmix(sets$reward_n15, 500, 1)

# ---------------------------------------------------------------- sign_e
for (g in list(c(1, 1), c(3, 3), c(5, 5), c(5, 3), c(8, 7), c(10, 0), c(10, 9), c(10, 5), c(15, 13), c(20, 17), c(30, 25), c(30, 30))) {
  n <- g[1]; k <- g[2]; e <- 2^n / ((n + 1) * choose(n, k)); rel(e, 2^n * beta(k + 1, n - k + 1), 1e-10)
  add("sign_e", sprintf("n%g_k%g", n, k), "2^n / ((n+1) choose(n,k)) (= 2^n Beta(k+1, n-k+1))", list(n = n, k = k), list(e_value = e)) }
for (nm in c("darwin", "sleep", "acc_n8_ties", "acc_n10_ties", "acc_n20", "attitude")) { d <- sets[[nm]]$d; k <- sum(d > 0); n <- sum(d != 0)
  add("sign_e", nm, src("2^n / ((n+1) choose(n,k)), zeros dropped", sets[[nm]]), list(d = d, n = n, k = k), list(e_value = 2^n / ((n + 1) * choose(n, k)))) }

# ---------------------------------------------------------------- welch_satterthwaite
ws <- function(name, blocks, about, notes = NULL) {
  B <- length(blocks); nb <- lengths(blocks); mb <- vapply(blocks, mean, 0); vb <- vapply(blocks, var, 0) / nb
  est <- mean(mb); se <- sqrt(sum(vb)) / B; df <- sum(vb)^2 / sum(vb^2 / (nb - 1)); t <- est / se
  if (B == 2) { w <- t.test(blocks[[1]], -blocks[[2]]); chk(c(w$p.value, w$parameter, w$conf.int / 2), c(2 * pt(-abs(t), df), df, est + c(-1, 1) * qt(.975, df) * se), 1e-10, "welch") }
  add("welch_satterthwaite", name, paste("written out; for two blocks checked against t.test(d1, -d2); data:", about), list(blocks = lapply(unname(blocks), arr)),
      list(block_means = arr(mb), estimate = est, se = se, df = df, t = t, p = 2 * pt(-abs(t), df), conf_low_95 = est - qt(.975, df) * se, conf_high_95 = est + qt(.975, df) * se), notes)
}
ws("two_real", list(sets$sleep$d, sets$shoes$d), "sleep and shoes"); ws("two_unequal", list(sets$acc_n3$d, sets$acc_n20$d), "acc_n3 and acc_n20")
ws("three_acc", list(sets$acc_n5$d, sets$acc_n8_ties$d, sets$acc_n10_ties$d), "acc_n5, acc_n8_ties, acc_n10_ties"); ws("anorexia", list(sets$anorexia_cbt$d, sets$anorexia_ft$d), "anorexia CBT and FT")
im <- split(sets$immer$d, MASS::immer$Loc); ws("immer_locations", im, "MASS::immer by location (6 blocks of 5)")
ws("zero_variance_block", list(c(.01, .01, .01), c(.02, .005, .015, .03)), "made", "The first block has no variance: it adds nothing to se and df = n_2 - 1.")
ws("opposite_signs", list(sets$acc_n5$d, sets$acc_n6_down$d, sets$acc_n4_up$d), "acc_n5, acc_n6_down, acc_n4_up"); ws("one_block", list(sets$pct_n8$d), "pct_n8 alone", "One block: the same as the paired t test.")

# ---------------------------------------------------------------- blocked_cluster
bc <- function(name, m, about) { m <- unname(as.matrix(m)); r <- rowMeans(m); w <- t.test(r)
  add("blocked_cluster", name, paste("t.test(rowMeans(d)); data:", about), list(d = m), list(n_seeds = nrow(m), n_blocks = ncol(m), seed_means = r, estimate = unname(w$estimate), se = w$stderr, df = unname(w$parameter), t = unname(w$statistic), p = w$p.value, conf_low_95 = w$conf.int[1], conf_high_95 = w$conf.int[2])) }
bc("immer", tapply(sets$immer$d, list(MASS::immer$Var, MASS::immer$Loc), mean), "MASS::immer, variety (seed) x location (block)")
set.seed(21)
mkb <- function(n, B, mu, st, s, grid) round((mu + rnorm(n, 0, st) + matrix(rnorm(n * B, 0, s), n, B)) * grid) / grid
bc("acc_5x3", mkb(5, 3, .015, .01, .01, 200), "made (set.seed): rows = seeds, columns = blocks"); bc("acc_10x4", mkb(10, 4, .005, .01, .01, 200), "made (set.seed): rows = seeds, columns = blocks")
bc("pct_3x2", mkb(3, 2, 1, .5, .5, 10), "made (set.seed): rows = seeds, columns = blocks"); bc("pct_20x6", mkb(20, 6, .3, .8, 1, 10), "made (set.seed): rows = seeds, columns = blocks"); bc("score_8x12", mkb(8, 12, 0, .02, .05, 1e4), "made (set.seed): rows = seeds, columns = blocks")
bc("one_block", matrix(sets$sleep$d, ncol = 1), "sleep alone: the same as the paired t test")

# ---------------------------------------------------------------- write
vers <- paste0(R.version.string, "; ", paste(vapply(c("lme4", "nlme", "MASS", "boot", "coin", "car", "exactRankTests"), function(p) paste(p, packageVersion(p)), ""), collapse = ", "), "; ", R.version$platform)
con <- file(out_file, "wb")
writeLines(c("{", paste0("\"made_with\": ", str_json(vers), ","), "\"cases\": ["), con)
for (i in seq_along(cases)) writeLines(paste0(json(cases[[i]]), if (i < length(cases)) ","), con)
writeLines(c("]", "}"), con); close(con)
tb <- table(vapply(cases, function(z) z$what, "")); print(tb); cat(length(cases), "cases\n")
