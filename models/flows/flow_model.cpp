// SPDX-License-Identifier: Apache-2.0
#include "models/flows/flow_model.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/error.hpp"
#include "core/math/linear_algebra.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/flows/coupling_flow.hpp"
#include "models/networks/training_record.hpp"
#include "models/preset.hpp"

namespace onmanifold {
namespace {

using MakeBijection = std::function<std::unique_ptr<Bijection>()>;

constexpr double former_rate = 5e-4;
constexpr Index record_points = 100;
constexpr Index jacobian_points = 8;
constexpr Index most_jacobian_coordinates = 128;

struct Thickness {
  double smallest = 0;
  double mean_log = -std::numeric_limits<double>::infinity();
};

/// Over the first columns of \p x, of the smallest singular value of d f^-1: 1 over the largest of df.
Thickness thickness_of(const CouplingFlow& flow, const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x) {
  const Index D = flow.dimension();
  const Index n = std::min(jacobian_points, x.cols());
  Eigen::MatrixXf repeated(D, n * D);
  Eigen::MatrixXf units(D, n * D);
  for (Index i = 0; i < n; ++i) {
    repeated.middleCols(i * D, D) = x.col(i).replicate(1, D);
    units.middleCols(i * D, D).setIdentity();
  }
  CouplingFlow::Tape tape(flow, n * D);
  Eigen::MatrixXf z;
  Eigen::VectorXf log_det;
  Eigen::VectorXf gradient(flow.buffer_size());
  Eigen::MatrixXf rows;
  flow.forward(parameters, repeated, tape, z, log_det);
  flow.backward(units, 0, tape, gradient, &rows);
  if (!rows.allFinite()) return {};
  double largest = 0;
  double log_sum = 0;
  for (Index i = 0; i < n; ++i) {
    const double one = singular_values(rows.middleCols(i * D, D).cast<double>())[0];
    largest = std::max(largest, one);
    log_sum += std::log(one);
  }
  return {1 / largest, -log_sum / static_cast<double>(n)};
}

class FlowModel final : public GenerativeModel {
 public:
  FlowModel(Settings& settings, MakeBijection bijection, double tuned_rate) : bijection_(std::move(bijection)) {
    layers_ = settings.integer("layers", 8, 1, 1000, "coupling layers");
    width_ = settings.integer("width", 128, 32, 65536, "units of a hidden layer, a multiple of 32");
    depth_ = settings.integer("depth", 2, 1, 100, "hidden layers");
    if (width_ % 32 != 0) throw InvalidInput(settings.locate("width") + ": must be a multiple of 32");
    adam_.steps = settings.integer("steps", adam_.steps, 1, 100'000'000, "training steps");
    adam_.learning_rate = read_learning_rate(settings, tuned_rate, former_rate);
    adam_.warmup = settings.integer("warmup", adam_.warmup, 0, 100'000'000,
                                    "training steps over which the step size rises from 0");
    adam_.ema = settings.number("ema", adam_.ema, 0, 0.9999999,
                                "decay of the moving average of the weights that samples come from; 0: none");
    adam_.clip = settings.number("clip", 5, 0, 1e30, "largest norm of the gradient; 0: no limit");
    batch_ = settings.integer("batch", 256, 1, 1'000'000, "training points a step");
  }

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override { return flow_ ? flow_->to_state(parameters_) : ModelState{}; }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& points) const override {
    if (flow_ == nullptr) throw InvalidInput("log_density: the model is not fitted");
    Points z;
    Vector result;
    flow_->to_base(parameters_, (points.colwise() - units_.mean) / units_.scale, z, result);
    result += standard_normal_log_density(z);
    result.array() -= log_scale();
    return result;
  }

 private:
  [[nodiscard]] double log_scale() const { return static_cast<double>(flow_->dimension()) * std::log(units_.scale); }
  void prepare(const FitContext& context) {
    flow_ = std::make_unique<CouplingFlow>(context.training->dimension(), layers_, bijection_(), width_, depth_);
    units_ = standardisation(*context.training);
  }
  void do_fit(const FitContext& context) override {
    prepare(context);
    const Index D = flow_->dimension();
    Eigen::VectorXf parameters = flow_->initial_parameters(context.initialisation);
    Adam adam(adam_, parameters);
    BatchReader reader(*context.training, units_);
    CouplingFlow::Tape tape(*flow_, batch_);
    Eigen::MatrixXf x(D, batch_);
    Eigen::MatrixXf z(D, batch_);
    Eigen::VectorXf log_det;
    Eigen::VectorXf gradient = Eigen::VectorXf::Zero(flow_->buffer_size());
    using Keep = TrainingSeries::Keep;
    std::vector<TrainingSeries> series = {{"loss", Keep::mean},
                                          {"gradient_norm", Keep::mean},
                                          {"mean_log_det", Keep::mean},
                                          {"largest_log_det", Keep::maximum}};
    const bool jacobians = D <= most_jacobian_coordinates;
    if (jacobians) {
      series.push_back({"smallest_singular_value", Keep::last});
      series.push_back({"log_thickness", Keep::last});
    }
    const float share = 1.0F / static_cast<float>(batch_);
    const double shift = log_scale();
    curves_ = record_training(adam_, series, record_points, context.progress, [&](Vector& values, bool ends) {
      reader.read(x);
      flow_->forward(parameters, x, tape, z, log_det);
      const double mean_log_det = log_det.cast<double>().mean();
      values[0] = -standard_normal_log_density(z.cast<double>()).mean() - mean_log_det + shift;
      values[2] = mean_log_det;
      values[3] = log_det.cwiseAbs().maxCoeff();
      if (!std::isfinite(values[0])) return;
      z *= share;
      flow_->backward(z, -share, tape, gradient);
      values[1] = adam.step(gradient, parameters);
      if (jacobians && ends) {
        const Thickness thickness = thickness_of(*flow_, parameters, x);
        values[4] = units_.scale * thickness.smallest;
        values[5] = std::log(units_.scale) + thickness.mean_log;
      }
    });
    parameters_ = adam.average();
  }
  void do_load(const ModelState& state, const FitContext& context) override {
    prepare(context);
    parameters_ = flow_->from_state(state);
    curves_.clear();
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    Stream draws = stream;
    Points samples = flow_->from_base(parameters_, draws.normal(flow_->dimension(), n));
    samples *= units_.scale;
    samples.colwise() += units_.mean;
    return samples;
  }

  MakeBijection bijection_;
  AdamOptions adam_;
  Index batch_ = 256;
  Index layers_ = 8;
  Index width_ = 128;
  Index depth_ = 2;
  std::unique_ptr<CouplingFlow> flow_;
  Standardisation units_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_realnvp(Settings& settings) {
  const double bound = settings.number("bound", 2, 1e-3, 50, "log-scales stay between minus and plus this");
  return std::make_unique<FlowModel>(
      settings, [bound] { return make_affine_bijection(bound); }, former_rate);
}

std::unique_ptr<GenerativeModel> make_spline_flow(Settings& settings) {
  const Index bins = settings.integer("bins", 8, 1, most_spline_bins, "pieces of each spline");
  const double bound =
      settings.number("bound", 4, 1e-3, 1e6, "splines act within this distance of 0, in standardised units");
  return std::make_unique<FlowModel>(
      settings, [bins, bound] { return make_spline_bijection(bins, bound); }, tuned_learning_rate);
}

}  // namespace onmanifold
