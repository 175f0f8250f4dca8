// SPDX-License-Identifier: Apache-2.0
#pragma once
// A question to a trained model, or to an exact law, whose answer is a set of named numbers: what a [[diagnostic]] of a
// suite asks of a cell.

#include <limits>
#include <memory>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/generative_model.hpp"
#include "contracts/score_field.hpp"
#include "contracts/training_source.hpp"
#include "contracts/unit_info.hpp"
#include "core/random/stream.hpp"
#include "core/registry.hpp"
#include "core/settings.hpp"
#include "datasets/lift.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// What may be asked about a cell. Pointers are not owned; null where the cell has none.
struct DiagnosticInput {
  const Manifold* manifold = nullptr;                         ///< never null
  const TrainingSource* training = nullptr;                   ///< as the method saw it, lifted; never null
  const GenerativeModel* model = nullptr;                     ///< fitted; never null
  const ScoreField* learned = nullptr;                        ///< that of the model
  const DiffusedScore* exact = nullptr;                       ///< of the law the model was trained on, lift included
  const Sampler* sampler = nullptr;                           ///< fresh draws of p0
  double entropy = std::numeric_limits<double>::quiet_NaN();  ///< of p0 on M, nats; NaN where not known
  Lift lift;
  double smallest_noise = 0;       ///< s_min of the task, standardised units
  std::vector<double> sigma_grid;  ///< lift levels of the task, data units
  double scale = 1;                ///< of the standardised units, in those of the data
  Stream stream;                   ///< of this diagnostic in this cell; copy it to draw
};

/// \throw Unsupported from run() where the cell lacks what the diagnostic needs.
class Diagnostic {
 public:
  virtual ~Diagnostic() = default;
  /// Named series; a scalar is a series of one. The same for equal input.
  [[nodiscard]] virtual Curves run(const DiagnosticInput& input) const = 0;
};

/// Reads its settings and leaves finish() to the caller.
using DiagnosticFactory = std::unique_ptr<Diagnostic> (*)(Settings& settings);
using DiagnosticRegistry = Registry<DiagnosticFactory, DiagnosticInfo>;

/// All diagnostics by name.
[[nodiscard]] const DiagnosticRegistry& diagnostic_registry();

}  // namespace onmanifold
