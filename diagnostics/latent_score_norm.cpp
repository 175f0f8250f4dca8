// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/latent_score_norm.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {

LatentScoreNorm latent_score_norm(const ScoreField& field, const PointsRef& code, const PointsRef& tangents,
                                  const Stream& stream, double decade) {
  const Index n = code.cols();
  const Index m = field.dimension();
  check_dimension(code, m, "latent score: points");
  check_dimension(tangents, m, "latent score: tangents");
  if (n < 1 || tangents.cols() % n != 0 || tangents.cols() == 0 || !(decade > 1)) {
    throw InvalidInput(fmt::format("latent score: {} points, {} tangents, decade {}", n, tangents.cols(), decade));
  }
  const Index d = tangents.cols() / n;
  if (d >= m) {
    throw Unsupported(fmt::format("{} latent coordinates leave no normals of a manifold of dimension {}", m, d));
  }
  const Index k = m - d;
  Points normals(m, k * n);
  for (Index j = 0; j < n; ++j) {
    normals.middleCols(j * k, k) = full_qr(tangents.middleCols(j * d, d)).q.rightCols(k);
  }
  const auto along = [&](const Points& v, Index j) {
    return (normals.middleCols(j * k, k).transpose() * v.col(j)).squaredNorm();
  };
  const auto count = static_cast<double>(n);
  const Points noise = stream.at("noise").normal(m, n);
  const double control = static_cast<double>(k) / (tree_sum_over(n, [&](Index j) { return along(noise, j); }) / count);

  LatentScoreNorm result;
  result.levels = field.levels();
  const Index levels = result.levels.size();
  result.normal_square.resize(levels);
  result.total_square.resize(levels);
  const double end = decade * result.levels.minCoeff() * (1 + 1e-9);
  std::vector<double> x;
  std::vector<double> y;
  for (Index l = 0; l < levels; ++l) {
    const double s = result.levels[l];
    const Points score = field.score(code + s * noise, l);
    result.normal_square[l] = control * tree_sum_over(n, [&](Index j) { return along(score, j); }) / count;
    result.total_square[l] = tree_sum_over(n, [&](Index j) { return score.col(j).squaredNorm(); }) / count;
    if (s > end) continue;
    x.push_back(std::log(s));
    y.push_back(std::log(result.normal_square[l]));
  }
  const auto fitted = static_cast<Index>(x.size());
  if (!std::all_of(y.begin(), y.end(), [](double value) { return std::isfinite(value); }))
    throw NumericalFailure("latent score: no normal part of the score");
  result.line = fit_line(Eigen::Map<const Vector>(x.data(), fitted), Eigen::Map<const Vector>(y.data(), fitted));
  return result;
}

}  // namespace onmanifold
