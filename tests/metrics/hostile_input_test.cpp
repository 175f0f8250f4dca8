// SPDX-License-Identifier: Apache-2.0
// Finite coordinates of any size, ties, offsets, orders of rows: what other people's files hold.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/frechet.hpp"
#include "metrics/kid.hpp"
#include "metrics/matching.hpp"
#include "metrics/mmd.hpp"
#include "metrics/one_dimensional.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/sinkhorn.hpp"
#include "metrics/transport.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

Points normal(Index d, Index n, const char* name) {
  return Stream(3, "hostile").at(name).normal(d, n);
}

Points row(std::initializer_list<double> values) {
  Points points(1, static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), points.data());
  return points;
}

Points shuffled(const Points& points, const char* name) {
  Stream stream = Stream(4, "hostile").at(name);
  return points(Eigen::all, stream.permutation(points.cols()));
}

// What breaks down is a failed record, as in a suite.
MetricRecord record_of(const std::string& metric, const Points& reference, const Points& samples) {
  try {
    return evaluate(metric, Given{.samples = &samples, .reference = &reference, .evaluation = Stream(1, "hostile")});
  } catch (const NumericalFailure& failure) {
    MetricRecord record;
    record.status = {RecordState::failed, failure.what()};
    return record;
  }
}

// Metrics that a reference is enough for. The degree says how values grow with the coordinates.
const std::vector<std::pair<std::string, int>> scalable = {{"coverage(k=2)", 0},
                                                           {"density(k=2)", 0},
                                                           {"precision(k=2)", 0},
                                                           {"recall(k=2)", 0},
                                                           {"cov_match", 0},
                                                           {"mmd_min", 2},
                                                           {"mmd_min(squared=false)", 1},
                                                           {"mmd_min_gen", 2},
                                                           {"chamfer", 2},
                                                           {"one_nna", 0},
                                                           {"mmd2_rbf_biased", 0},
                                                           {"mmd2_rbf_unbiased", 0},
                                                           {"energy", 1},
                                                           {"energy_u", 1},
                                                           {"fd", 2},
                                                           {"fd_inf", 2},
                                                           {"c2st", 0},
                                                           {"ks", 0},
                                                           {"sliced_w2", 1},
                                                           {"w1", 1},
                                                           {"w2", 1},
                                                           {"w2_sq", 2},
                                                           {"tvd(bins=3)", 0}};

TEST(HugeCoordinates, AreScaledByPowersOfTwo) {
  const Points x = normal(2, 30, "x");
  const Points y = normal(2, 30, "y").array() + 0.5;
  for (const auto& [metric, degree] : scalable) {
    const MetricRecord plain = record_of(metric, x, y);
    ASSERT_EQ(plain.status.text(), "ok") << metric;
    for (const int exponent : {-900, -300, 300, 450, 1000}) {
      const double factor = std::ldexp(1.0, exponent);
      const MetricRecord huge = record_of(metric, factor * x, factor * y);
      const double expected = std::ldexp(plain.value, degree * exponent);
      if (std::isinf(expected)) {
        EXPECT_FALSE(std::isfinite(huge.value)) << metric << " 2^" << exponent;
        EXPECT_NE(huge.status.text(), plain.status.text()) << metric << " 2^" << exponent;
      } else if (expected == 0 || std::abs(expected) >= 1e-290) {
        EXPECT_NEAR(huge.value, expected, 1e-12 * std::abs(expected)) << metric << " 2^" << exponent;
        EXPECT_EQ(huge.status.text(), plain.status.text()) << metric << " 2^" << exponent;
      }
    }
  }
}

TEST(HugeCoordinates, OneOfThemTakesNoMetricDown) {
  // Given: a reference of 0 … 4 and one coordinate of 1e155 and more among the samples.
  for (const double huge : {1e153, 1e155, 1e200, 1.7e308}) {
    const Points x = row({0, 1, 2, 3, 4, 5, 6});
    const Points y = row({0, 1, huge, 3, -huge, 5, 6});
    for (const auto& [metric, degree] : scalable) {
      for (const bool swapped : {false, true}) {
        const MetricRecord record = swapped ? record_of(metric, y, x) : record_of(metric, x, y);
        EXPECT_FALSE(record.status.ok() && std::isnan(record.value)) << metric << " " << huge;
      }
    }
  }
}

TEST(HugeCoordinates, KidSaysThatItOverflows) {
  EXPECT_TRUE(std::isfinite(record_of("kid", row({1e40, 2e40, 1.5e40}), row({2e40, 1e40, 3e40})).value));
  for (const double huge : {1e60, 1e160, 1e300}) {
    const MetricRecord beyond = record_of("kid", huge * row({1, 1.2, 1.5}), huge * row({1.6, 1, 1.1}));
    EXPECT_TRUE(std::isnan(beyond.value));
    EXPECT_EQ(beyond.status.text(), "failed: the sixth power of the coordinates overflows");
  }
}

// What does not scale says so, and nearest neighbours beside a huge coordinate are those that they are.
TEST(HugeCoordinates, FailLoudlyOrAreExact) {
  const Points x = row({0, 1, 2, 3, 4, 5, 6});
  for (const double huge : {1e155, 1e200}) {
    const Points y = row({0.1, 1.1, huge, 3.1, 4.1});
    EXPECT_NEAR(record_of("mmd_min", x, y).value, (4 * 0.01 + 2 * 0.81 + 1.9 * 1.9) / 7, 1e-12) << huge;
    EXPECT_DOUBLE_EQ(record_of("w1", x, y).value / huge, 0.2) << huge;
    for (const char* metric : {"mmd2_rbf_biased(sigma=1)", "sinkhorn_div"}) {
      const MetricRecord record = record_of(metric, x, y);
      EXPECT_EQ(record.status.state, RecordState::failed) << metric;
      EXPECT_NE(record.status.text().find("overflow"), std::string::npos) << record.status.text();
    }
  }
}

// ---- exact transport

double by_permutations(const Points& x, const Points& y, int p) {
  std::vector<Index> order(static_cast<std::size_t>(x.cols()));
  std::iota(order.begin(), order.end(), 0);
  long double best = std::numeric_limits<long double>::infinity();
  do {
    long double sum = 0;
    for (Index i = 0; i < x.cols(); ++i) {
      const double square = (x.col(i) - y.col(order[static_cast<std::size_t>(i)])).squaredNorm();
      sum += p == 2 ? square : std::sqrt(square);
    }
    best = std::min(best, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return static_cast<double>(best / static_cast<long double>(x.cols()));
}

TEST(ExactTransport, IsThatOfAllPermutations) {
  for (int draw = 0; draw < 60; ++draw) {
    Stream stream = Stream(5, "permutations").at(static_cast<std::uint64_t>(draw));
    Points x = stream.normal(2, 6);
    Points y = stream.normal(2, 6);
    // A third of the draws have an outlier in both sets, a third coordinates of very different sizes.
    if (draw % 3 == 1) x.col(0).setConstant(std::pow(10.0, draw % 11)), y.col(3) = x.col(0);
    if (draw % 3 == 2) {
      for (Index i = 0; i < 6; ++i) x.col(i) *= std::pow(10.0, 2 * i), y.col(i) *= std::pow(10.0, 2 * i);
    }
    for (const int p : {1, 2}) {
      const double exact = by_permutations(x, y, p);
      EXPECT_NEAR(exact_transport(x, y, p), exact, 2e-9 * exact) << "draw " << draw << " p " << p;
    }
  }
}

TEST(ExactTransport, IsThatOfALineWhateverTheOutlier) {
  for (const double outlier : {0.0, 1e7, 1e8, 1e10, 1e12}) {
    Points x = normal(1, 80, "line x");
    Points y = normal(1, 80, "line y");
    x(0, 3) = y(0, 70) = outlier;
    for (const int p : {1, 2}) {
      const double exact = line_transport(x.row(0).transpose(), y.row(0).transpose(), p);
      EXPECT_NEAR(exact_transport(x, y, p), exact, 2e-9 * exact) << outlier;
    }
  }
}

// ---- ties

TEST(Ties, OneAtomOfTwoIsNotPerfect) {
  Points x = Points::Zero(1, 40);
  x.rightCols(20).setOnes();
  const Points y = Points::Zero(1, 40);
  // On the shared atom a point has 19 of its 59 others (x) or 39 of 59 (y) of its own kind.
  const OneNna result = one_nna(x, y);
  EXPECT_NEAR(result.reference, (20 + 20 * 19.0 / 59) / 40, 1e-12);
  EXPECT_NEAR(result.samples, 39.0 / 59, 1e-12);
  EXPECT_GT(record_of("c2st", x, y).value, 0.7);
  EXPECT_DOUBLE_EQ(cov_match(x, y), 0.5);
}

TEST(Ties, NeitherOrderNorSideMatters) {
  for (const Index atoms : {1, 2, 3, 7}) {
    Points x = normal(2, 60, "tied x");
    Points y = normal(2, 60, "tied y");
    x = (x.array() * static_cast<double>(atoms)).round() / static_cast<double>(atoms);
    y = (y.array() * static_cast<double>(atoms)).round() / static_cast<double>(atoms);
    const double accuracy = one_nna(x, y).accuracy;
    EXPECT_NEAR(one_nna(y, x).accuracy, accuracy, 1e-12);
    EXPECT_NEAR(one_nna(shuffled(x, "a"), shuffled(y, "b")).accuracy, accuracy, 1e-12);
    EXPECT_EQ(cov_match(shuffled(x, "a"), shuffled(y, "b")), cov_match(x, y));
    for (const char* metric : {"c2st", "c2st(classifier=logistic)", "coverage", "recall", "one_nna"}) {
      EXPECT_NEAR(record_of(metric, shuffled(x, "a"), shuffled(y, "b")).value, record_of(metric, x, y).value, 1e-12)
          << metric;
    }
  }
}

TEST(DegenerateSets, AreMarked) {
  const Points ones = Points::Ones(2, 30);
  for (const char* metric : {"coverage", "density", "precision", "recall"}) {
    const MetricRecord record = record_of(metric, ones, ones);
    EXPECT_EQ(record.value, 0) << metric;
    EXPECT_NE(record.parameters.find("degenerate"), std::string::npos) << metric;
    EXPECT_TRUE(std::isnan(record.null) || record.null == 0) << metric << " " << record.null;
  }
  Points atoms = normal(2, 30, "few");
  atoms.rightCols(20).setZero();
  EXPECT_NE(record_of("coverage", atoms, atoms).parameters.find("degenerate"), std::string::npos);
  EXPECT_EQ(record_of("coverage", normal(2, 30, "no ties"), atoms).parameters.find("degenerate"), std::string::npos);
}

// ---- entropic transport

TEST(SinkhornConvergence, OnTheCasesThatFailed) {
  Points x(2, 2);
  Points y(2, 2);
  x << 0, 1, 0, 0;
  y << 0.2, 1.5, 0, 0.3;
  EXPECT_TRUE(sinkhorn(x, y, 0.1).converged);
  for (int draw = 0; draw < 24; ++draw) {
    Stream stream = Stream(6, "sinkhorn").at(static_cast<std::uint64_t>(draw));
    const Index n = 2 + draw % 5;
    const Points a = stream.normal(2, n);
    const Points b = stream.normal(2, n + draw % 3);
    const Sinkhorn result = sinkhorn(a, b, 0.1);
    EXPECT_TRUE(result.converged) << draw << ": " << result.sweeps;
    // The dual value bounds the cost from above by the entropy at most.
    EXPECT_GE(result.value, result.cost - 1e-9);
    EXPECT_GE(result.cost, exact_transport(a, b, 2) - 1e-9);
  }
}

TEST(SinkhornConvergence, EqualSetsAreAtZero) {
  for (const Index d : {1, 3, 40}) {
    const Points x = normal(d, 90, "equal");
    for (const char* metric : {"sinkhorn_div", "sinkhorn_cost_div", "sinkhorn_div(eps=0.1)"}) {
      EXPECT_EQ(record_of(metric, x, x).value, 0) << metric << " " << d;
    }
  }
}

TEST(SinkhornConvergence, InManyDimensions) {
  const Points x = 0.1 * normal(784, 100, "wide x");
  const Points y = 0.1 * normal(784, 100, "wide y");
  EXPECT_TRUE(sinkhorn(x, y, 1).converged);
}

// ---- cancellation

TEST(Offsets, MultiplyTheDifferencesThatKidSees) {
  const Points x = normal(3, 40, "kid x");
  const Points y = normal(3, 50, "kid y").array() + 0.3;
  for (const double offset : {0.0, 1.0, 1e3, 1e6, 1e8}) {
    const Points a = x.array() + offset;
    const Points b = y.array() + offset;
    // In 113 bits, as defined.
    __extension__ using Quad = __float128;
    const auto mean = [](const Points& s, const Points& t, bool own) {
      Quad sum = 0;
      for (Index i = 0; i < s.cols(); ++i) {
        for (Index j = 0; j < t.cols(); ++j) {
          if (own && i == j) continue;
          Quad product = 0;
          for (Index c = 0; c < s.rows(); ++c) product += static_cast<Quad>(s(c, i)) * static_cast<Quad>(t(c, j));
          const Quad base = product / static_cast<Quad>(s.rows()) + 1;
          sum += base * base * base;
        }
      }
      return sum / (static_cast<Quad>(s.cols()) * static_cast<Quad>(own ? t.cols() - 1 : t.cols()));
    };
    const auto exact = static_cast<double>(mean(a, a, true) + mean(b, b, true) - 2 * mean(a, b, false));
    EXPECT_NEAR(kid(a, b).unbiased, exact, 1e-7 * std::abs(exact)) << offset;
  }
}

TEST(Offsets, DistancesOfClustersFarApartDoNotCancel) {
  Points x = 1e-3 * normal(64, 40, "cluster x");
  Points y = 1e-3 * normal(64, 40, "cluster y");
  for (Points* set : {&x, &y}) {
    set->leftCols(20).array() += 1e6;
    set->rightCols(20).array() -= 1e6;
  }
  const RadialKernel kernel({0.5 / (0.01 * 0.01)});
  long double sum[3] = {0, 0, 0};
  const auto add = [&](const Points& s, const Points& t, int at) {
    for (Index i = 0; i < s.cols(); ++i) {
      for (Index j = 0; j < t.cols(); ++j) sum[at] += std::exp(-5000 * (s.col(i) - t.col(j)).squaredNorm());
    }
  };
  add(x, x, 0);
  add(y, y, 1);
  add(x, y, 2);
  const auto exact = static_cast<double>((sum[0] + sum[1] - 2 * sum[2]) / 1600);
  EXPECT_NEAR(mmd2(x, y, kernel).biased, exact, 1e-12);
  EXPECT_GT(exact, 0);
  EXPECT_GE(record_of("mmd2_rbf_biased(sigma=0.01)", x, y).value, 0);
}

// The points lie on a grid, so that they are shifted without rounding and the distance must stay what it is.
TEST(Offsets, ChangeNoFrechetDistance) {
  const auto on_grid = [](const Points& points) -> Points { return (points * 1024).array().round() / 1024; };
  for (const Index d : {3, 140}) {
    const Points x = on_grid(normal(d, 400, "grid x"));
    const Points y = on_grid(normal(d, 300, "grid y"));
    const double fd = record_of("fd", x, y).value;
    const double at_infinity = record_of("fd_inf", x, y).value;
    EXPECT_NEAR(fd, frechet_distance_by_factors(x, y), 1e-12 * fd);
    double worst_of_means = 0;
    for (const double offset : {1e3, 1e6, -1e6, 1e8, 1e11}) {
      const Points a = x.array() + offset;
      const Points b = y.array() + offset;
      ASSERT_EQ(Points(a.array() - offset), x);
      // Means that are 1e8 from the origin are rounded to 1e-8; nothing of the centred points is.
      EXPECT_NEAR(record_of("fd", a, b).value, fd, 1e-12 * fd) << d << ", " << offset;
      EXPECT_NEAR(frechet_distance(a, b), fd, 1e-12 * fd) << d << ", " << offset;
      EXPECT_NEAR(record_of("fd_inf", a, b).value, at_infinity, 1e-11 * fd) << d << ", " << offset;
      const double means = (tree_mean(a) - tree_mean(b)).squaredNorm();
      worst_of_means = std::max(worst_of_means, std::abs(means - (tree_mean(x) - tree_mean(y)).squaredNorm()));
    }
    EXPECT_GT(worst_of_means, 1e-10 * fd) << "means of uncentred points would do";
  }
}

// ---- every row twice

// What docs/metrics.md says of a file that holds every row twice.
TEST(Duplicates, MoveWhatTheDocumentsSay) {
  enum Moves { nothing = 0, of_reference = 1, of_samples = 2, of_either = 3 };
  const std::vector<std::pair<std::string, Moves>> said = {{"coverage", of_reference},
                                                           {"density", of_reference},
                                                           {"precision", of_reference},
                                                           {"recall", of_samples},
                                                           {"cov_match", nothing},
                                                           {"mmd_min", nothing},
                                                           {"mmd_min_gen", nothing},
                                                           {"chamfer", nothing},
                                                           {"one_nna", of_either},
                                                           {"mmd2_rbf_biased(sigma=1)", nothing},
                                                           {"mmd2_rbf_biased(bandwidth=bank)", nothing},
                                                           {"mmd2_rbf_biased", of_either},
                                                           {"mmd2_rbf_unbiased(sigma=1)", of_either},
                                                           {"kid", of_either},
                                                           {"energy", nothing},
                                                           {"energy_u", of_either},
                                                           {"fd", of_either},
                                                           {"fd_inf", of_either},
                                                           {"c2st", of_either},
                                                           {"w1", nothing},
                                                           {"w2", nothing},
                                                           {"w2_sq", nothing},
                                                           {"sinkhorn_div", nothing},
                                                           {"sinkhorn_cost_div", nothing},
                                                           {"sliced_w2", nothing},
                                                           {"ks", nothing},
                                                           {"rmsd_nearest", nothing},
                                                           {"rmsd_cross", nothing},
                                                           {"rmsd_pairwise", of_samples},
                                                           {"tvd(bins=3)", nothing},
                                                           {"tvd_corrected(bins=3)", of_either},
                                                           {"js_divergence(bins=3)", nothing},
                                                           {"negative_pixel_rate", nothing},
                                                           {"negative_pixel_mass", nothing}};
  const Points x = normal(6, 90, "once x");
  const Points y = normal(6, 70, "once y").array() + 0.2;
  const auto twice = [](const Points& points) {
    Points both(points.rows(), 2 * points.cols());
    both << points, points;
    return both;
  };
  for (const auto& [metric, moves] : said) {
    const Index d = metric.find("bins") == std::string::npos ? 6 : 3;  // cells have at most four dimensions
    const Points a = x.topRows(d);
    const Points b = y.topRows(d);
    const double once = record_of(metric, a, b).value;
    ASSERT_TRUE(std::isfinite(once)) << metric;
    // Relative to what is summed; transport is certain to 1e-9.
    const double tolerance = 2e-9 * std::max(0.01, std::abs(once));
    const auto moved = [&](const Points& reference, const Points& samples) {
      return std::abs(record_of(metric, reference, samples).value - once) > tolerance;
    };
    EXPECT_EQ(moved(twice(a), b), (moves & of_reference) != 0) << metric;
    EXPECT_EQ(moved(a, twice(b)), (moves & of_samples) != 0) << metric;
    if (moves == nothing) {
      EXPECT_FALSE(moved(twice(a), twice(b))) << metric;
    }
  }
}

// ---- order of rows

TEST(OrderOfRows, ChangesNoMetricOfTheRegistry) {
  const SphereScene scene(120);
  Points ordered_samples = scene.truth;
  Points ordered_reference = scene.reference;
  // By class (which bump) and by norm of the first two coordinates.
  const auto by = [](Points& points, const auto& key) {
    std::vector<Index> order(static_cast<std::size_t>(points.cols()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](Index a, Index b) { return key(points.col(a)) < key(points.col(b)); });
    points = Points(points(Eigen::all, order));
  };
  by(ordered_samples, [](const auto& p) { return p[2]; });
  by(ordered_reference, [](const auto& p) { return p.template head<2>().norm(); });
  std::vector<std::string> metrics = metric_registry().names();
  for (const char* more : {"w1(size=30)", "sinkhorn_div(size=20)", "c2st(classifier=logistic)",
                           "one_nna(permutations=20)", "energy(permutations=20)"}) {
    metrics.emplace_back(more);
  }
  for (const std::string& metric : metrics) {
    // Scores and log-densities belong to points by their place.
    Given given = scene.input(scene.truth);
    given.scores = nullptr;
    given.reference_log_density = nullptr;
    const MetricRecord plain = evaluate(metric, given);
    given.samples = &ordered_samples;
    given.reference = &ordered_reference;
    const MetricRecord ordered = evaluate(metric, given);
    const auto near = [&](double a, double b, const char* what) {
      EXPECT_TRUE((std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-12 * std::max(1.0, std::abs(a)))
          << metric << " " << what << " " << a << " " << b;
    };
    near(plain.value, ordered.value, "value");
    near(plain.null, ordered.null, "null");
    near(plain.null_sd, ordered.null_sd, "null_sd");
    near(plain.se, ordered.se, "se");
    near(plain.p_value, ordered.p_value, "p");
  }
  // Control: half of a sorted file is another set.
  const Points half = ordered_samples.leftCols(60);
  const Points other = scene.truth.leftCols(60);
  EXPECT_GT(std::abs(value_of("energy", scene.reference, half) - value_of("energy", scene.reference, other)), 0.1);
}

// Given: two classes far apart, one after the other in the reference, mixed in the samples.
TEST(OrderOfRows, SizeDrawsFromFilesOrderedByClass) {
  Points x = normal(2, 200, "class x");
  x.rightCols(100).array() += 20;
  Points y = normal(2, 200, "class y");
  for (Index i = 0; i < 200; i += 2) y.col(i).array() += 20;
  for (const char* metric : {"w1(size=80)", "w2(size=80)", "sinkhorn_div(size=80)"}) {
    const double ordered = record_of(metric, x, y).value;
    EXPECT_NEAR(record_of(metric, shuffled(x, "d"), shuffled(y, "e")).value, ordered, 1e-12 * ordered) << metric;
  }
  // Shares of the class among 80 draws differ by .08 (one sd); each moves w1 by 28 times that. The first 80 rows hold
  // one class only: half of the mass moves.
  EXPECT_LT(record_of("w1(size=80)", x, y).value, 0.5 + 3 * 0.08 * 28);
  EXPECT_GT(exact_transport(x.leftCols(80), y.leftCols(80), 1), 0.45 * 28);
  // Draws of the two sets are not paired.
  const FiniteColumns one(x, "reference");
  const FiniteColumns other(x, "samples");
  EXPECT_NE(one.drawn(80), other.drawn(80));
}

TEST(OrderOfRows, OfAReferenceFileChangesNoNull) {
  Points reference = normal(2, 600, "file");
  std::vector<double> first(reference.row(0).begin(), reference.row(0).end());
  std::sort(first.begin(), first.end());
  for (Index i = 0; i < reference.cols(); ++i) reference(0, i) = first[static_cast<std::size_t>(i)];
  const Points samples = normal(2, 600, "of the same");
  for (const char* metric : {"sliced_w2", "mmd_min", "chamfer", "precision"}) {
    const MetricRecord ordered = record_of(metric, reference, samples);
    EXPECT_EQ(record_of(metric, shuffled(reference, "n"), samples).null, ordered.null) << metric;
  }
  EXPECT_LT(record_of("sliced_w2", reference, samples).null, 0.15);
}

TEST(KolmogorovSmirnov, SaysWhetherItsPIsExact) {
  EXPECT_NE(record_of("ks", row({1, 2, 3}), row({1.5, 2.5})).parameters.find("exact"), std::string::npos);
  EXPECT_EQ(record_of("ks", row({1, 2, 3}), row({1, 2})).parameters.find("exact"), std::string::npos);
  EXPECT_NE(record_of("ks", row({1, 2, 3}), row({1, 2})).parameters.find("upper bound"), std::string::npos);
  EXPECT_NE(record_of("ks", normal(1, 2100, "many"), normal(1, 2100, "more")).parameters.find("limit distribution"),
            std::string::npos);
}

// ---- errors of shares

TEST(ErrorsOfShares, CoverTheSpreadAtAFixedReference) {
  const Points reference = normal(2, 200, "fixed");
  for (const char* metric : {"precision", "recall", "coverage"}) {
    constexpr Index draws = 100;
    Vector values(draws);
    Vector errors(draws);
    for (Index d = 0; d < draws; ++d) {
      const Points samples = 1.3 * Stream(8, "shares").at(static_cast<std::uint64_t>(d)).normal(2, 200);
      const MetricRecord record = record_of(metric, reference, samples);
      values[d] = record.value;
      errors[d] = record.se;
    }
    const double spread = std::sqrt((values.array() - values.mean()).square().sum() / (draws - 1));
    // The spread of 100 draws is known to 7 %: four of these either side.
    EXPECT_GT(errors.mean(), 0.72 * spread) << metric;
    EXPECT_LT(errors.mean(), 2 * spread) << metric;
  }
  for (const Index n : {1, 2, 50}) {
    EXPECT_GT(record_of("precision", reference, 100 + normal(2, n, "far").array()).se, 0);
    EXPECT_GT(record_of("coverage", reference, 100 + normal(2, n, "far").array()).se, 0);
    EXPECT_GT(record_of("precision", reference, reference.leftCols(n)).se, 0);
  }
}

}  // namespace
}  // namespace onmanifold::test
