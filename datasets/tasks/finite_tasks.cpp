// SPDX-License-Identifier: Apache-2.0
// finite16, two-points, discrete-cube, discrete-tokens: laws on finite sets.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/math/summation.hpp"
#include "datasets/laws/finite_law.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/product.hpp"

namespace onmanifold {
namespace {

Points atoms_of(const FiniteSet& set) {
  Points atoms(set.ambient_dimension(), set.atom_count());
  for (Index a = 0; a < atoms.cols(); ++a) atoms.col(a) = set.atom(a);
  return atoms;
}

Task make_finite_task(Settings& settings, std::string name, std::string description,
                      std::shared_ptr<const Manifold> manifold, const std::shared_ptr<const FiniteLaw>& law) {
  Task task;
  task.name = std::move(name);
  task.description = std::move(description);
  task.data_hash = hash_of_law(fmt::format("finite {} {}", manifold->spec(),
                                           fmt::join(law->probabilities().begin(), law->probabilities().end(), ":")));
  task.manifold = std::move(manifold);
  task.sampler = law;
  task.density = law;
  task.partition = std::make_shared<const AtomPartition>(law->set());
  task.masses = law->probabilities();
  task.entropy = law->entropy().value();
  task.preregistered_sigma = 0.1 * std::min(task.manifold->reach(), law->standard_deviation());
  task.sigma_grid = {0.05, 0.1, 0.2, 0.3, 0.5};
  task.make_diffused_score = [law](const Lift& lift) { return make_diffused_finite_law(*law, lift); };
  // Nothing that counts neighbours or copies: between equal atoms all distances are 0.
  task.metrics =
      settings.text("metrics",
                    fmt::format("tvd,tvd_corrected,js_divergence,mmd2_rbf_unbiased(sigma={:.2g}),constraint_mean,"
                                "constraint_max,projection_distance",
                                law->standard_deviation()),
                    "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.01, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
  return task;
}

}  // namespace

Task make_finite16(Settings& settings) {
  const auto set = std::make_shared<const OneHot>(16);
  const auto law =
      std::make_shared<const FiniteLaw>(atoms_of(*set), draw_probabilities(16, Stream(0, "finite16/probabilities")));
  return make_finite_task(settings, "finite16",
                          "16 unit vectors of R^16 with random probabilities (uniform on the simplex, fixed stream)",
                          set, law);
}

Task make_two_points(Settings& settings) {
  Points atoms(2, 2);
  atoms << -1, 1, 0, 0;
  const auto law = std::make_shared<const FiniteLaw>(atoms, Vector{{0.1, 0.9}});
  return make_finite_task(settings, "two-points", "the points (-1,0) and (1,0) of R^2 with probabilities .1 and .9",
                          law->set(), law);
}

Task make_discrete_cube(Settings& settings) {
  const auto set = std::make_shared<const SignCube>(6);
  const auto law = std::make_shared<const FiniteLaw>(atoms_of(*set),
                                                     draw_probabilities(64, Stream(0, "discrete-cube/probabilities")));
  return make_finite_task(
      settings, "discrete-cube",
      "the 64 corners of the cube {-1,1}^6 with random probabilities (uniform on the simplex, fixed "
      "stream)",
      set, law);
}

Task make_discrete_tokens(Settings& settings) {
  // A Markov chain of four tokens out of four: 256 sequences. Every transition has probability 1/80 at least.
  constexpr Index classes = 4;
  constexpr Index length = 4;
  const Stream stream(0, "discrete-tokens");
  std::vector<Vector> rows;  // the first token, then the rows of the transition matrix
  for (Index r = 0; r <= classes; ++r) {
    const Vector drawn = draw_probabilities(classes, stream.at(static_cast<std::uint64_t>(r)));
    rows.push_back(0.95 * drawn + Vector::Constant(classes, 0.05 / classes));
  }
  const auto token = std::make_shared<const OneHot>(classes);
  const std::vector<std::shared_ptr<const Manifold>> factors(static_cast<std::size_t>(length), token);
  Points atoms = Points::Zero(classes * length, 256);
  Vector probabilities(256);
  for (Index a = 0; a < 256; ++a) {
    Index rest = a;
    Index state = 0;
    double p = 1;
    for (Index i = 0; i < length; ++i) {
      const Index next = rest % classes;
      rest /= classes;
      p *= rows[static_cast<std::size_t>(state)][next];
      atoms(classes * i + next, a) = 1;
      state = next + 1;
    }
    probabilities[a] = p;
  }
  const auto law = std::make_shared<const FiniteLaw>(atoms, probabilities / tree_sum(probabilities));
  Task task =
      make_finite_task(settings, "discrete-tokens",
                       "sequences of four tokens out of four, one-hot, from a random Markov chain (fixed stream): 256 "
                       "atoms of R^16",
                       std::make_shared<const Product>(factors), law);
  task.version = 2;  // the same bits on every machine
  return task;
}

}  // namespace onmanifold
