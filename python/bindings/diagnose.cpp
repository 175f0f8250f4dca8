// SPDX-License-Identifier: Apache-2.0
// Diagnostics of a score that a function of the caller gives.
#include "suite/diagnose.hpp"

#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "python/bindings/parts.hpp"

namespace onmanifold::python {
namespace {

ScoreFunction read_score(const py::object& score, const py::object& jvp) {
  ScoreFunction result;
  result.score = [function = Shared(score)](const PointsRef& y, double s) {
    const py::gil_scoped_acquire lock;
    return points_from(function.get()(copy_rows(y), s), "score");
  };
  if (!jvp.is_none()) {
    result.products = [function = Shared(jvp)](const PointsRef& y, const PointsRef& v, double s) {
      const py::gil_scoped_acquire lock;
      return points_from(function.get()(copy_rows(y), copy_rows(v), s), "jvp");
    };
  }
  return result;
}

py::dict diagnose_task(const TaskHandle& task, const py::object& score, const py::object& jvp, const std::string& lift,
                       const std::vector<double>& levels, Index n_train, int replicate, const py::dict& settings,
                       const std::vector<std::string>& names) {
  if (n_train < 1) throw InvalidInput(fmt::format("n_train: {} is not positive", n_train));
  ScoreToDiagnose asked;
  if (!score.is_none()) asked.function = read_score(score, jvp);
  asked.levels = Eigen::Map<const Vector>(levels.data(), static_cast<Index>(levels.size()));
  asked.lift = read_lift(task.task(), lift);
  asked.n_train = n_train;
  asked.replicate = replicate;
  asked.settings = *to_value(settings, "settings").get_if<Value::Table>();
  const auto records = unlocked([&] { return diagnose(task.task(), asked, names); });
  py::dict result;
  for (const auto& [name, record] : records) {
    py::dict numbers;
    for (const auto& [series, values] : record.numbers) {
      numbers[py::str(series)] = values.size() == 1 ? py::object(py::float_(values[0])) : py::object(to_array(values));
    }
    result[py::str(name)] = py::make_tuple(record.status.text(), numbers);
  }
  return result;
}

}  // namespace

void add_diagnose(py::module_& module) {
  module.def("score_diagnostics", score_diagnostics);
  module.def("diagnose", diagnose_task);
}

}  // namespace onmanifold::python
