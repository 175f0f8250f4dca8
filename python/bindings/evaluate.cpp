// SPDX-License-Identifier: Apache-2.0
// Functions of the caller as methods, and suites.
#include <optional>
#include <type_traits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "python/bindings/parts.hpp"
#include "suite/evaluation.hpp"
#include "suite/scheduler.hpp"

namespace onmanifold::python {
namespace {

/// What a function is told of its cell.
struct CellContext {
  std::string task;
  std::string lift;
  double sigma = 0;
  int replicate = 0;
  std::uint64_t seed = 0;
  Index n_samples = 0;
  double smallest_noise = 0;
  double lift_scale = 0;
  ManifoldHandle manifold;
  std::shared_ptr<SourceHandle> training;
  Shared settings;
};

/// What all cells of a call share.
struct CallerMethod {
  Shared function;
  Shared settings;
  Index n_samples = 0;
  std::vector<ManifoldHandle> manifolds = {};  // of the tasks
};

std::uint64_t seed_of(Stream stream) {
  return stream.integer(std::uint64_t{1} << 31U);  // what every random generator of Python takes
}

/// A function (cell) -> samples, or (cell) -> function (n, seed) -> samples.
class PythonMethod final : public GenerativeModel {
 public:
  explicit PythonMethod(std::shared_ptr<const CallerMethod> method) : method_(std::move(method)) {}
  ~PythonMethod() override {
    if (cell_) cell_->training->close();
  }
  PythonMethod(const PythonMethod&) = delete;
  PythonMethod& operator=(const PythonMethod&) = delete;

  [[nodiscard]] std::string log() const override { return log_; }

 private:
  void do_fit(const FitContext& context) override {
    ManifoldHandle manifold;
    for (const ManifoldHandle& known : method_->manifolds) {
      if (known.get() == context.manifold) manifold = known;
    }
    // The source is the pipeline's and outlives this object, which closes the handle.
    const std::shared_ptr<const TrainingSource> borrowed(context.training, [](const TrainingSource*) {});
    cell_ = std::make_shared<CellContext>(CellContext{.task = context.task,
                                                      .lift = std::string(name_of(context.lift)),
                                                      .sigma = context.lift_sigma,
                                                      .replicate = context.replicate,
                                                      .seed = seed_of(context.training_noise.at("caller")),
                                                      .n_samples = method_->n_samples,
                                                      .smallest_noise = context.smallest_noise,
                                                      .lift_scale = context.lift_scale,
                                                      .manifold = manifold,
                                                      .training = std::make_shared<SourceHandle>(borrowed, manifold),
                                                      .settings = method_->settings});
    const py::gil_scoped_acquire lock;
    answer_.emplace(guarded([&] { return py::object(method_->function.get()(cell_)); }));
  }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const py::gil_scoped_acquire lock;
    const py::object samples = guarded([&]() -> py::object {
      const py::object& answer = answer_->get();
      return PyCallable_Check(answer.ptr()) != 0 ? py::object(answer(n, seed_of(stream))) : answer;
    });
    Points points = guarded([&] { return points_from(samples, "samples"); });
    if (points.cols() != n || points.rows() != cell_->training->get().dimension()) {
      throw InvalidInput(fmt::format("the samples are {}×{}, expected {}×{}", points.cols(), points.rows(), n,
                                     cell_->training->get().dimension()));
    }
    const Index bad = points.size() - points.array().isFinite().count();
    if (bad > 0)
      throw NumericalFailure(fmt::format("{} of {} numbers of the samples are not finite", bad, points.size()));
    return points;
  }

  /// What the caller's code raises, as the pipeline understands it.
  template <class Call>
  std::invoke_result_t<const Call&> guarded(const Call& call) const {
    try {
      return call();
    } catch (py::error_already_set& error) {
      // Exceptions that are no Exception end the interpreter, not a cell.
      if (!error.matches(PyExc_Exception)) throw Interrupted{error};
      const std::string line = one_line(error);
      log_ = error.what();
      if (error.matches(PyExc_NotImplementedError)) throw Unsupported(line);
      if (error.matches(PyExc_ArithmeticError)) throw NumericalFailure(line);
      throw InvalidInput(line);
    }
  }

  std::shared_ptr<const CallerMethod> method_;
  std::shared_ptr<CellContext> cell_;
  std::optional<Shared> answer_;
  mutable std::string log_;
};

py::dict summary_dict(const RunSummary& summary) {
  py::dict dict;
  dict["selected"] = summary.selected;
  dict["skipped"] = summary.skipped;
  dict["measured"] = summary.measured;
  dict["computed"] = summary.computed;
  dict["failed"] = summary.failed;
  dict["unsupported"] = summary.unsupported;
  dict["busy"] = summary.busy;
  dict["complete"] = summary.complete;
  return dict;
}

/// Notes what cells that did not end well say: (key, state, message).
struct Troubles {
  std::vector<std::tuple<std::string, std::string, std::string>> cells;
  std::function<void(const CellKey&, const CellStatus&)> note() {
    return [this](const CellKey& key, const CellStatus& status) {
      if (!status.ok()) cells.emplace_back(key.text(), std::string(name_of(status.state)), status.message);
    };
  }
};

py::dict run_evaluation(const py::object& function, const std::string& name, const std::vector<TaskHandle*>& tasks,
                        const std::vector<std::string>& lifts, std::pair<int, int> replicates,
                        const std::tuple<Index, Index, Index>& sizes, const std::vector<std::string>& beside,
                        const std::string& directory, const py::dict& settings, const std::string& source_hash,
                        const std::string& role, const std::string& place, bool force, const std::string& suite) {
  EvaluationPlan plan;
  auto shared = std::make_shared<CallerMethod>(
      CallerMethod{.function = Shared(function), .settings = Shared(settings), .n_samples = std::get<1>(sizes)});
  for (const TaskHandle* task : tasks) {
    plan.tasks.push_back(task->spec());
    shared->manifolds.push_back(task->task().manifold);
  }
  for (const std::string& lift : lifts) plan.lifts.push_back(make_lift_spec(lift));
  plan.replicates = {replicates.first, replicates.second};
  std::tie(plan.n_train, plan.n_samples, plan.n_reference) = sizes;
  plan.beside = beside;
  plan.suite = suite;

  OwnMethod method{.name = name, .make = [shared](Settings&) { return std::make_unique<PythonMethod>(shared); }};
  method.info = {.role = parse_named<MethodRole>(role),
                 .place = parse_named<Place>(place),
                 .varies = {},
                 .needs = {Need::training}};
  method.settings = *to_value(settings, "settings").get_if<Value::Table>();
  if (!source_hash.empty()) method.inputs.emplace("source", source_hash);

  Troubles troubles;
  RunOptions options;
  options.directory = directory;
  options.in_process = true;
  options.force = force;
  options.command_line = {"onmanifold.evaluate"};
  options.on_cell = troubles.note();
  const std::function<void()> interrupted = signal_checkpoint();
  const auto note = options.on_cell;
  options.on_cell = [&](const CellKey& key, const CellStatus& status) {
    note(key, status);
    interrupted();
  };
  py::dict result = summary_dict(unlocked([&] { return evaluate(method, plan, options); }));
  result["troubles"] = troubles.cells;
  return result;
}

/// In a process of its own (onmanifold/_child.py): it makes workers.
py::dict run_named_suite(const std::string& name, const std::string& directory, int workers, const std::string& seeds,
                         const std::string& only, bool force) {
  SuiteSpec suite = load_suite(name);
  if (!seeds.empty()) {
    const ReplicateRange range = parse_replicates(seeds, "seeds");
    suite.first_replicate = range.first;
    suite.last_replicate = range.last;
  }
  Troubles troubles;
  RunOptions options;
  options.directory = directory.empty() ? "results/" + suite.name : directory;
  options.workers = workers;
  options.only = only;
  options.force = force;
  options.command_line = {"onmanifold.run", name};
  options.on_cell = troubles.note();
  const RunSummary summary = unlocked([&] { return run_suite(suite, options); });
  py::dict result = summary_dict(summary);
  result["directory"] = options.directory;
  result["left_out"] = suite.left_out;
  result["troubles"] = troubles.cells;
  return result;
}

}  // namespace

void add_evaluate(py::module_& module) {
  py::class_<CellContext, std::shared_ptr<CellContext>>(module, "Cell")
      .def_readonly("task", &CellContext::task)
      .def_readonly("lift", &CellContext::lift)
      .def_readonly("sigma", &CellContext::sigma)
      .def_readonly("replicate", &CellContext::replicate)
      .def_readonly("seed", &CellContext::seed)
      .def_readonly("n_samples", &CellContext::n_samples)
      .def_readonly("smallest_noise", &CellContext::smallest_noise)
      .def_readonly("lift_scale", &CellContext::lift_scale)
      .def_readonly("training", &CellContext::training)
      .def_property_readonly("settings", [](const CellContext& cell) { return cell.settings.get(); })
      .def_property_readonly("manifold",
                             [](const CellContext& cell) { return std::const_pointer_cast<Manifold>(cell.manifold); });
  module.def("evaluate", run_evaluation);
  module.def("run_suite", run_named_suite);
}

}  // namespace onmanifold::python
