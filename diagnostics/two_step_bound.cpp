// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/two_step_bound.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/linear_algebra.hpp"
#include "core/math/summation.hpp"
#include "diagnostics/cell_input.hpp"
#include "metrics/transport.hpp"

namespace onmanifold {

TwoStepBound two_step_bound(const LatentModel& model, const PointsRef& points, const PointsRef& latent, int p,
                            Index nodes) {
  const Index n = points.cols();
  const Index m = model.latent_dimension();
  check_dimension(latent, m, "two-step bound: latent points");
  if (n < 2 || latent.cols() != n || (p != 1 && p != 2) || nodes < 2) {
    throw InvalidInput(
        fmt::format("two-step bound: {} points, {} latent points, p = {}, {} nodes", n, latent.cols(), p, nodes));
  }
  const Points code = model.encode(points);
  const Points rebuilt = model.decode(code);
  const auto power = [p](double length) { return p == 2 ? length * length : length; };
  const auto root = [p](double value) { return p == 2 ? std::sqrt(value) : value; };

  TwoStepBound result;
  result.left = root(exact_transport(points, model.decode(latent), p));
  result.reconstruction =
      root(tree_sum_over(n, [&](Index i) { return power((points.col(i) - rebuilt.col(i)).norm()); }) /
           static_cast<double>(n));
  const TransportPlan plan = exact_transport_plan(code, latent, p);
  result.latent = root(plan.cost);
  result.norm_bound = model.decoder_norm_bound();

  const auto pairs = static_cast<Index>(plan.pairs.size());
  const Points unit = Points::Identity(m, m).replicate(1, pairs);
  Points place(m, pairs);
  for (Index k = 0; k < nodes; ++k) {
    const double t = static_cast<double>(k) / static_cast<double>(nodes - 1);
    for (Index i = 0; i < pairs; ++i) {
      const TransportPair& pair = plan.pairs[static_cast<std::size_t>(i)];
      place.col(i) = (1 - t) * code.col(pair.from) + t * latent.col(pair.to);
    }
    const Points jacobians = model.decoder_products(place, unit, m);
    for (Index i = 0; i < pairs; ++i) {
      result.local_lipschitz = std::max(result.local_lipschitz, singular_values(jacobians.middleCols(i * m, m))[0]);
    }
  }
  for (Index i = 0; i < n; ++i) {
    result.diameter = std::max(result.diameter, (points.colwise() - points.col(i)).colwise().norm().maxCoeff());
  }
  return result;
}

namespace {

class TwoStep final : public Diagnostic {
 public:
  explicit TwoStep(Settings& settings)
      : points_(settings.integer("points", 1000, 10, 20000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const auto* model = dynamic_cast<const LatentModel*>(input.model);
    if (model == nullptr) throw Unsupported("the method has no latent points");
    const Points x = clean_points(input, points_);
    const Points z = model->sample_latent(x.cols(), input.stream.at("latent"));
    Curves result;
    for (const int p : {1, 2}) {
      const TwoStepBound bound = two_step_bound(*model, x, z, p);
      const std::string end = p == 1 ? "" : "_w2";
      result["lhs_over_rhs" + end] = scalar(bound.left / bound.right());
      result["lhs_over_rhs_norms" + end] = scalar(bound.left / bound.right_by_norms());
      result["rhs_over_diameter" + end] = scalar(bound.right() / bound.diameter);
      result["left" + end] = scalar(bound.left);
      result["reconstruction" + end] = scalar(bound.reconstruction);
      result["latent" + end] = scalar(bound.latent);
      result["lipschitz" + end] = scalar(bound.local_lipschitz);
      result["norm_bound"] = scalar(bound.norm_bound);
    }
    return result;
  }

 private:
  Index points_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_two_step_bound(Settings& settings) {
  return std::make_unique<TwoStep>(settings);
}

}  // namespace onmanifold
