// SPDX-License-Identifier: Apache-2.0
#include "contracts/generative_model.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

void GenerativeModel::fit(const FitContext& context) {
  if (context.training == nullptr || context.manifold == nullptr) {
    throw InvalidInput("fit: the context has no training source or no manifold");
  }
  if (context.training->size() < 1) throw InvalidInput("fit: the training source is empty");
  check_finite(context.training->clean_points(), "training points");
  do_fit(context);
  dimension_ = context.training->dimension();
}

Points GenerativeModel::sample(Index n, const Stream& stream) const {
  if (dimension_ == 0) throw InvalidInput("sample: the model is not fitted");
  if (n < 1) throw InvalidInput(fmt::format("sample: n = {} is not positive", n));
  Points samples = do_sample(n, stream);
  if (samples.rows() != dimension_ || samples.cols() != n) {
    throw NumericalFailure(fmt::format("sample: the model gave {}×{} numbers, expected {}×{}", samples.rows(),
                                       samples.cols(), dimension_, n));
  }
  return samples;
}

void GenerativeModel::load(const ModelState& state, const FitContext& context) {
  if (context.training == nullptr) throw InvalidInput("load: the context has no training source");
  do_load(state, context);
  dimension_ = context.training->dimension();
}

void GenerativeModel::do_load(const ModelState&, const FitContext&) {
  throw InvalidInput("load: this method keeps no state");
}

}  // namespace onmanifold
