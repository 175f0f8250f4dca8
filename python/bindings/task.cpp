// SPDX-License-Identifier: Apache-2.0
// Tasks, manifolds, training data and scores.
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "datasets/points_task.hpp"
#include "manifolds/registry.hpp"
#include "metrics/registry.hpp"
#include "python/bindings/parts.hpp"
#include "suite/evaluation.hpp"
#include "suite/score.hpp"
#include "suite/score_scale.hpp"

namespace onmanifold::python {

std::shared_ptr<const TaskContext> TaskHandle::context(Index n_reference) {
  if (n_reference < 2) throw InvalidInput(fmt::format("n_reference: {} is below 2", n_reference));
  const std::lock_guard lock(mutex_);
  if (context_ == nullptr || n_reference_ != n_reference) {
    context_ = std::make_shared<const TaskContext>(spec_.task, 0, n_reference);
    n_reference_ = n_reference;
  }
  return context_;
}

const TrainingSource& SourceHandle::get() const {
  if (source_ == nullptr) throw InvalidInput("training: the cell that these data belong to is over");
  return *source_;
}

Lift read_lift(const Task& task, const std::string& text) {
  return resolve(make_lift_spec(text), task);
}

namespace {

/// The number is a count. \throw InvalidInput
Index positive(Index n, const char* what) {
  if (n < 1) throw InvalidInput(fmt::format("{}: {} is not positive", what, n));
  return n;
}

int replicate_of(int replicate) {
  if (replicate < 0) throw InvalidInput(fmt::format("replicate: {} is negative", replicate));
  return replicate;
}

/// Shapes are checked before the lock of the interpreter is given away.
void check_points(const Manifold& manifold, const Eigen::Map<const Points>& points, const char* what) {
  if (points.rows() != manifold.ambient_dimension()) {
    throw InvalidInput(fmt::format("{}: rows have {} numbers, but {} has {}", what, points.rows(), manifold.spec(),
                                   manifold.ambient_dimension()));
  }
}

/// Calls \p work with the points of \p rows, without the lock.
template <class Work>
auto with_points(const ManifoldHandle& manifold, const Rows& rows, const char* what, const Work& work) {
  const Eigen::Map<const Points> points = columns(rows, what);
  check_points(*manifold, points, what);
  return unlocked([&] { return work(points); });
}

template <class Work>
auto with_pairs(const ManifoldHandle& manifold, const Rows& first, const Rows& second, const char* what,
                const Work& work) {
  const Eigen::Map<const Points> b = columns(second, what);
  check_points(*manifold, b, what);
  return with_points(manifold, first, "points", [&](const Eigen::Map<const Points>& a) {
    if (a.cols() != b.cols()) {
      throw InvalidInput(fmt::format("{}: {} rows for {} points", what, b.cols(), a.cols()));
    }
    return work(a, b);
  });
}

std::unique_ptr<Geodesics> geodesics_of(const Manifold& manifold) {
  std::unique_ptr<Geodesics> geodesics = manifold.geodesics();
  if (geodesics == nullptr) {
    throw InvalidInput(fmt::format("the geodesics of {} have no closed form: no exp and log", manifold.spec()));
  }
  return geodesics;
}

void add_manifold(py::module_& module) {
  py::class_<Manifold, std::shared_ptr<Manifold>>(module, "Manifold")
      .def_property_readonly("spec", &Manifold::spec)
      .def_property_readonly("dimension", &Manifold::dimension)
      .def_property_readonly("ambient_dimension", &Manifold::ambient_dimension)
      .def_property_readonly("codimension", &Manifold::codimension)
      .def_property_readonly("reach", &Manifold::reach)
      .def_property_readonly("scale", &Manifold::scale)
      .def_property_readonly("tolerance", &Manifold::constraint_tolerance)
      .def("project",
           [](const ManifoldHandle& manifold, const Rows& x) {
             Projection result =
                 with_points(manifold, x, "points", [&](const auto& points) { return manifold->project(points); });
             const py::array_t<bool> converged(result.converged.size(), result.converged.data());
             return py::make_tuple(to_rows(std::move(result.points)), to_array(result.distance), converged);
           })
      .def("residual",
           [](const ManifoldHandle& manifold, const Rows& x) {
             return to_rows(
                 with_points(manifold, x, "points", [&](const auto& points) { return manifold->residual(points); }));
           })
      .def("tangent_basis",
           [](const ManifoldHandle& manifold, const Rows& y) {
             return to_stacks(with_points(manifold, y, "points",
                                          [&](const auto& points) { return manifold->tangent_bases(points); }),
                              manifold->dimension());
           })
      .def("normal_basis",
           [](const ManifoldHandle& manifold, const Rows& y) {
             return to_stacks(
                 with_points(manifold, y, "points", [&](const auto& points) { return manifold->normal_bases(points); }),
                 manifold->codimension());
           })
      .def("normal_component",
           [](const ManifoldHandle& manifold, const Rows& y, const Rows& v) {
             return to_rows(with_pairs(manifold, y, v, "vectors", [&](const auto& points, const auto& vectors) {
               return manifold->normal_component(points, vectors);
             }));
           })
      .def("exp",
           [](const ManifoldHandle& manifold, const Rows& y, const Rows& v) {
             const std::unique_ptr<Geodesics> geodesics = geodesics_of(*manifold);
             return to_rows(with_pairs(manifold, y, v, "vectors", [&](const auto& points, const auto& vectors) {
               return geodesics->exp(points, vectors);
             }));
           })
      .def("log",
           [](const ManifoldHandle& manifold, const Rows& y, const Rows& z) {
             const std::unique_ptr<Geodesics> geodesics = geodesics_of(*manifold);
             return to_rows(with_pairs(manifold, y, z, "ends", [&](const auto& points, const auto& ends) {
               return geodesics->log(points, ends);
             }));
           })
      .def("random_points", [](const ManifoldHandle& manifold, Index n, std::uint64_t seed) {
        positive(n, "n");
        return to_rows(unlocked([&] { return manifold->random_points(n, Stream(seed, "python/random_points")); }));
      });
  module.def("manifold", [](const std::string& spec) {
    return std::const_pointer_cast<Manifold>(unlocked([&] { return make_manifold(spec); }));
  });
}

void add_source(py::module_& module) {
  py::class_<SourceHandle, std::shared_ptr<SourceHandle>>(module, "TrainingSource")
      .def("__len__", [](const SourceHandle& source) { return source.get().size(); })
      .def_property_readonly("dimension", [](const SourceHandle& source) { return source.get().dimension(); })
      .def("clean", [](const SourceHandle& source) { return copy_rows(source.get().clean_points()); })
      .def("standardisation",
           [](const SourceHandle& source) {
             const Standardisation map = standardisation(source.get());
             return py::make_tuple(to_array(map.mean), map.scale);
           })
      .def("epoch", [](const SourceHandle& source, Index epoch) {
        const TrainingSource& data = source.get();
        return to_rows(unlocked([&] { return data.epoch(epoch); }));
      });
}

/// What score's JSON says, and of each metric whether it is read on these samples.
py::dict score_dict(const Score& score) {
  py::dict record = to_python(to_value(score)).cast<py::dict>();
  const auto rows = record["metrics"].cast<py::list>();
  for (std::size_t i = 0; i < score.metrics.size(); ++i) {
    const ScoredMetric& metric = score.metrics[i];
    const auto* entry = metric_registry().find(metric.record.name);
    rows[i]["read_here"] = entry == nullptr || name_of(entry->info.samples) == metric.samples;
  }
  return record;
}

/// What scores of one call share.
struct Asked {
  std::shared_ptr<const TaskContext> context;
  Points train;
  std::optional<TrainingPoints> training;
  PointsToScore request;
};

std::unique_ptr<Asked> read_request(TaskHandle& task, const std::optional<Rows>& train, const std::string& name,
                                    const std::string& metrics, Index n_reference, bool allow_nonfinite) {
  auto asked = std::make_unique<Asked>();
  if (train) {
    const Eigen::Map<const Points> points = columns(*train, "train");
    check_points(*task.task().manifold, points, "train");
    if (points.cols() == 0) throw InvalidInput("train: has no rows");
    check_finite(points, "train");
    asked->train = points;
    asked->training.emplace(asked->train);
  }
  asked->request = {.name = name,
                    .metrics = metrics,
                    .train = asked->training ? &*asked->training : nullptr,
                    .allow_nonfinite = allow_nonfinite,
                    .checkpoint = signal_checkpoint()};
  asked->context = unlocked([&] { return task.context(n_reference); });
  return asked;
}

std::shared_ptr<Score> score_task(TaskHandle& task, const Rows& samples, const std::optional<Rows>& train,
                                  const std::string& name, const std::string& metrics, Index n_reference,
                                  bool allow_nonfinite) {
  const Eigen::Map<const Points> points = columns(samples, "samples");
  const auto asked = read_request(task, train, name, metrics, n_reference, allow_nonfinite);
  return unlocked([&] { return std::make_shared<Score>(score_points(points, *asked->context, asked->request)); });
}

/// By metric of \p score: what floor and ceiling show, and where the value lies between them.
py::list scale_of(TaskHandle& task, const Score& score, const std::optional<Rows>& train, const std::string& metrics,
                  Index n_reference) {
  const auto asked = read_request(task, train, score.name, metrics, n_reference, false);
  if (!asked->training) {
    asked->train = unlocked([&] { return training_points(task.task(), 0, 0, score.n_samples); });
    asked->training.emplace(asked->train);
    asked->request.train = &*asked->training;
  }
  const ScoreScale scale = unlocked([&] { return score_scale(*asked->context, score.n_samples, asked->request); });
  py::list places;
  for (const ScoredMetric& metric : score.metrics) {
    const MetricRecord* floor = find_same(scale.floor, metric);
    const MetricRecord* ceiling = find_same(scale.ceiling, metric);
    places.append(py::make_tuple(floor == nullptr ? MetricRecord::unknown : floor->value,
                                 ceiling == nullptr ? MetricRecord::unknown : ceiling->value,
                                 place_on_scale(metric, scale)));
  }
  return places;
}

}  // namespace

void add_task(py::module_& module) {
  add_manifold(module);
  add_source(module);
  py::class_<Score, std::shared_ptr<Score>>(module, "Score").def("record", score_dict);
  py::class_<TaskHandle, std::shared_ptr<TaskHandle>>(module, "Task")
      .def_property_readonly("name", [](const TaskHandle& task) { return task.task().name; })
      .def_property_readonly("version", [](const TaskHandle& task) { return task.task().version; })
      .def_property_readonly("description", [](const TaskHandle& task) { return task.task().description; })
      .def_property_readonly("data_hash", [](const TaskHandle& task) { return task.task().data_hash; })
      .def_property_readonly("metrics", [](const TaskHandle& task) { return task.task().metrics; })
      .def_property_readonly("entropy", [](const TaskHandle& task) { return task.task().entropy; })
      .def_property_readonly("smallest_noise", [](const TaskHandle& task) { return task.task().smallest_noise; })
      .def_property_readonly("preregistered_sigma",
                             [](const TaskHandle& task) { return task.task().preregistered_sigma; })
      .def_property_readonly("sigma_grid", [](const TaskHandle& task) { return task.task().sigma_grid; })
      .def_property_readonly(
          "manifold", [](const TaskHandle& task) { return std::const_pointer_cast<Manifold>(task.task().manifold); })
      .def("surface",
           [](const TaskHandle& task) -> py::object {
             if (!task.task().surface) return py::none();
             const Surface& surface = *task.task().surface;
             const Points faces = surface.faces.cast<double>();
             return py::make_tuple(copy_rows(surface.vertices), copy_rows(faces));
           })
      .def("train",
           [](const TaskHandle& task, Index n, int replicate) {
             positive(n, "n");
             replicate_of(replicate);
             return to_rows(unlocked([&] { return training_points(task.task(), 0, replicate, n); }));
           })
      .def("validation",
           [](const TaskHandle& task, Index n, int replicate) {
             positive(n, "n");
             replicate_of(replicate);
             return to_rows(unlocked([&] {
               return task.task().sampler->sample(n, training_stream(task.task(), 0, replicate).at("validation"));
             }));
           })
      .def("reference",
           [](const TaskHandle& task, Index n) {
             return to_rows(unlocked([&] { return exported_reference(task.task(), positive(n, "n")); }));
           })
      .def("source",
           [](const TaskHandle& task, const Rows& x, const std::string& lift, int replicate) {
             const ManifoldHandle& manifold = task.task().manifold;
             const Lift level = read_lift(task.task(), lift);
             const Stream draws = training_stream(task.task(), 0, replicate_of(replicate));
             return std::make_shared<SourceHandle>(
                 with_points(manifold, x, "points",
                             [&](const auto& points) -> std::shared_ptr<const TrainingSource> {
                               return make_training_source(points, *manifold, level, draws);
                             }),
                 manifold);
           })
      .def("level", [](const TaskHandle& task, const std::string& lift) { return read_lift(task.task(), lift).sigma; })
      .def("score", score_task)
      .def("scale", scale_of);
  module.def("task", [](const std::string& text) {
    return std::make_shared<TaskHandle>(unlocked([&] { return make_task_spec(text); }));
  });
  module.def("points_task", [](const Rows& points, const ManifoldHandle& manifold, const std::string& name) {
    return std::make_shared<TaskHandle>(with_points(manifold, points, "points", [&](const auto& x) {
      return make_task_spec(make_points_task(name, x, manifold));
    }));
  });
}

}  // namespace onmanifold::python
