// SPDX-License-Identifier: Apache-2.0
#include "models/networks/lenet.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "models/networks/adam.hpp"
#include "models/networks/convolution.hpp"

namespace onmanifold {
namespace {

constexpr Index kernel = 5;
constexpr Index pass = 64;                // images at a time where nothing is trained
constexpr double spread_of_digits = 2.4;  // standard deviation over mean of a pixel: .308/.131 for MNIST
constexpr const char* preprocessing = "(x P/F - 1)/2.4, repeated 2x2 unless 4 divides the side";

using Map = Eigen::Map<const Eigen::MatrixXf>;

/// p = mean of 2×2 of max(a, 0). \p a images×side×side×channels, \p p images×side/2×side/2×channels.
void relu_pool(const Eigen::VectorXf& a, Index images, Index side, Index channels, Eigen::VectorXf& p) {
  const Index row = side * channels;
  const Index half = side / 2;
  for (Index n = 0; n < images; ++n) {
    for (Index r = 0; r < half; ++r) {
      const float* from = a.data() + (n * side + 2 * r) * row;
      float* to = p.data() + (n * half + r) * half * channels;
      for (Index c = 0; c < half; ++c) {
        for (Index k = 0; k < channels; ++k) {
          const float* x = from + 2 * c * channels + k;
          to[c * channels + k] = 0.25F * ((std::max(x[0], 0.0F) + std::max(x[channels], 0.0F)) +
                                          (std::max(x[row], 0.0F) + std::max(x[row + channels], 0.0F)));
        }
      }
    }
  }
}

/// \p a becomes dL/da for \p dp = dL/dp.
void relu_pool_backward(const Eigen::VectorXf& dp, Index images, Index side, Index channels, Eigen::VectorXf& a) {
  const Index row = side * channels;
  const Index half = side / 2;
  for (Index n = 0; n < images; ++n) {
    for (Index r = 0; r < side; ++r) {
      float* x = a.data() + (n * side + r) * row;
      const float* from = dp.data() + (n * half + r / 2) * half * channels;
      for (Index c = 0; c < side; ++c) {
        for (Index k = 0; k < channels; ++k) {
          float& value = x[c * channels + k];
          value = value > 0 ? 0.25F * from[c / 2 * channels + k] : 0.0F;
        }
      }
    }
  }
}

void check_labels(const std::vector<std::uint8_t>& labels, Index images, Index classes) {
  if (static_cast<Index>(labels.size()) != images) {
    throw InvalidInput(fmt::format("{} labels for {} images", labels.size(), images));
  }
  for (const std::uint8_t label : labels) {
    if (label >= classes) throw InvalidInput(fmt::format("label {} of {} classes", label, classes));
  }
}

const Eigen::MatrixXf& entry(const ModelState& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end()) throw InvalidInput(fmt::format("lenet: its state lacks '{}'", name));
  return found->second;
}

/// Images through one network in passes of equal size, so that the bits of a column do not depend on how many
/// there are.
class Evaluation {
 public:
  explicit Evaluation(const ModelState& state)
      : net_(state), workspace_(net_.make_workspace(pass, false)), room_(net_.side() * net_.side(), pass) {
    net_.load(net_.from_state(state), workspace_);
  }
  [[nodiscard]] const Lenet& net() const { return net_; }
  template <class Use>
  void over(const Eigen::MatrixXf& images, Use use) {
    if (images.rows() != room_.rows()) {
      throw InvalidInput(fmt::format("lenet: images of {} pixels for {}", images.rows(), room_.rows()));
    }
    for (Index first = 0; first < images.cols(); first += pass) {
      const Index n = std::min(pass, images.cols() - first);
      room_.leftCols(n) = images.middleCols(first, n);
      room_.rightCols(pass - n).setZero();
      net_.forward(room_, workspace_);
      use(first, n, workspace_);
    }
  }
  [[nodiscard]] Eigen::MatrixXf features(const Eigen::MatrixXf& images) {
    Eigen::MatrixXf result(Lenet::features, images.cols());
    over(images, [&](Index first, Index n, const Lenet::Workspace& w) {
      result.middleCols(first, n) = Lenet::features_of(w).leftCols(n);
    });
    return result;
  }

 private:
  Lenet net_;
  Lenet::Workspace workspace_;
  Eigen::MatrixXf room_;
};

}  // namespace

struct Lenet::Workspace::Parts {
  Parts(Index images, Index side, bool training)
      : n(images),
        conv1({.images = images,
               .inputs = 1,
               .outputs = channels1,
               .side = side,
               .kernel = kernel,
               .training = training,
               .input_gradient = false}),
        conv2({.images = images,
               .inputs = channels1,
               .outputs = channels2,
               .side = side / 2,
               .kernel = kernel,
               .training = training}),
        a1(images * side * side * channels1),
        p1(a1.size() / 4),
        a2(images * (side / 2) * (side / 2) * channels2),
        p2(a2.size() / 4),
        dp1(training ? p1.size() : 0) {}

  Index n;
  Convolution conv1;
  Convolution conv2;
  Eigen::VectorXf a1, p1, a2, p2;
  Eigen::VectorXf dp1;
  Eigen::MatrixXf hidden, features, logits;
  Eigen::VectorXf parameters;  // of the dense layers
};

Lenet::Workspace::Workspace(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Lenet::Workspace::~Workspace() = default;
Lenet::Workspace::Workspace(Workspace&&) noexcept = default;

Lenet::Lenet(Index side, Index classes) : side_(side), classes_(classes) {
  if (side < 4 || side % 4 != 0) throw InvalidInput(fmt::format("lenet: 4 does not divide the side {}", side));
  if (classes < 2 || classes > 256) throw InvalidInput(fmt::format("lenet: {} classes", classes));
  const Index flat = channels2 * (side / 4) * (side / 4);
  layers_ = {{"conv1", channels1, kernel * kernel, true},
             {"conv2", channels2, channels1 * kernel * kernel, true},
             {"dense1", hidden, flat},
             {"dense2", features, hidden},
             {"dense3", classes, features}};
  // Every array starts on a cache line.
  const auto aligned = [](Index n) { return (n + 15) / 16 * 16; };
  for (Layer& layer : layers_) {
    layer.weight = size_;
    size_ += aligned(layer.outputs * layer.inputs);
    layer.bias = size_;
    size_ += aligned(layer.outputs);
  }
}

Lenet::Lenet(const ModelState& state)
    : Lenet(4 * static_cast<Index>(
                    std::llround(std::sqrt(static_cast<double>(entry(state, "dense1_weight").cols()) / channels2))),
            entry(state, "dense3_weight").rows()) {}

Index Lenet::parameter_count() const {
  Index count = 0;
  for (const Layer& layer : layers_) count += layer.outputs * (layer.inputs + 1);
  return count;
}

Eigen::VectorXf Lenet::initial_parameters(const Stream& stream) const {
  Eigen::VectorXf result = Eigen::VectorXf::Zero(size_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const double bound = std::sqrt(6.0 / static_cast<double>(layer.inputs));
    Stream own = stream.at(l);
    const Points u = own.uniform(layer.outputs * layer.inputs, 1);
    result.segment(layer.weight, u.size()) = ((2 * u.array() - 1) * bound).matrix().cast<float>();
  }
  return result;
}

ModelState Lenet::to_state(const Eigen::VectorXf& parameters) const {
  if (parameters.size() != size_) throw InvalidInput("lenet: a buffer of another size");
  ModelState state;
  for (const Layer& layer : layers_) {
    const float* weight = parameters.data() + layer.weight;
    if (layer.row_major) {
      state[layer.name + "_weight"] =
          Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(weight, layer.outputs,
                                                                                                  layer.inputs);
    } else {
      state[layer.name + "_weight"] = Map(weight, layer.outputs, layer.inputs);
    }
    state[layer.name + "_bias"] = parameters.segment(layer.bias, layer.outputs);
  }
  return state;
}

Eigen::VectorXf Lenet::from_state(const ModelState& state) const {
  Eigen::VectorXf result = Eigen::VectorXf::Zero(size_);
  const auto part = [&](const std::string& key, Index rows, Index cols) -> const Eigen::MatrixXf& {
    const Eigen::MatrixXf& value = entry(state, key);
    if (value.rows() != rows || value.cols() != cols) {
      throw InvalidInput(
          fmt::format("lenet: '{}' is {}×{}, expected {}×{}", key, value.rows(), value.cols(), rows, cols));
    }
    return value;
  };
  for (const Layer& layer : layers_) {
    const Eigen::MatrixXf& weight = part(layer.name + "_weight", layer.outputs, layer.inputs);
    float* to = result.data() + layer.weight;
    if (layer.row_major) {
      Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(to, layer.outputs,
                                                                                        layer.inputs) = weight;
    } else {
      Eigen::Map<Eigen::MatrixXf>(to, layer.outputs, layer.inputs) = weight;
    }
    result.segment(layer.bias, layer.outputs) = part(layer.name + "_bias", layer.outputs, 1).col(0);
  }
  return result;
}

Lenet::Workspace Lenet::make_workspace(Index images, bool training) const {
  return Workspace(std::make_unique<Workspace::Parts>(images, side_, training));
}

void Lenet::load(const Eigen::VectorXf& parameters, Workspace& workspace) const {
  if (parameters.size() != size_) throw InvalidInput("lenet: a buffer of another size");
  Workspace::Parts& w = *workspace.parts_;
  w.conv1.set_weights(parameters.data() + layers_[0].weight, parameters.data() + layers_[0].bias);
  w.conv2.set_weights(parameters.data() + layers_[1].weight, parameters.data() + layers_[1].bias);
  w.parameters = parameters;
}

void Lenet::forward(const Eigen::MatrixXf& x, Workspace& workspace) const {
  Workspace::Parts& w = *workspace.parts_;
  if (x.rows() != side_ * side_ || x.cols() != w.n) throw InvalidInput("lenet: images of another size");
  w.conv1.forward(x.data(), w.a1.data());
  relu_pool(w.a1, w.n, side_, channels1, w.p1);
  w.conv2.forward(w.p1.data(), w.a2.data());
  relu_pool(w.a2, w.n, side_ / 2, channels2, w.p2);
  const auto dense = [&](std::size_t l, const auto& from, Eigen::MatrixXf& to) {
    const Layer& layer = layers_[l];
    to.noalias() = Map(w.parameters.data() + layer.weight, layer.outputs, layer.inputs) * from;
    to.colwise() += w.parameters.segment(layer.bias, layer.outputs);
    if (l + 1 < layers_.size()) to = to.cwiseMax(0.0F);
  };
  dense(2, Map(w.p2.data(), layers_[2].inputs, w.n), w.hidden);
  dense(3, w.hidden, w.features);
  dense(4, w.features, w.logits);
}

const Eigen::MatrixXf& Lenet::features_of(const Workspace& workspace) {
  return workspace.parts_->features;
}
const Eigen::MatrixXf& Lenet::logits_of(const Workspace& workspace) {
  return workspace.parts_->logits;
}

double Lenet::backward(const Eigen::MatrixXf& x, const std::vector<std::uint8_t>& labels, Workspace& workspace,
                       Eigen::VectorXf& gradient) const {
  Workspace::Parts& w = *workspace.parts_;
  check_labels(labels, w.n, classes_);
  gradient.setZero(size_);
  // dL/dlogits = (softmax - one-hot)/n.
  Eigen::MatrixXf delta(classes_, w.n);
  double loss = 0;
  for (Index j = 0; j < w.n; ++j) {
    const float top = w.logits.col(j).maxCoeff();
    delta.col(j) = (w.logits.col(j).array() - top).exp().matrix();
    const float sum = delta.col(j).sum();
    const Index label = labels[static_cast<std::size_t>(j)];
    loss += std::log(static_cast<double>(sum)) - static_cast<double>(w.logits(label, j) - top);
    delta.col(j) /= sum;
    delta(label, j) -= 1;
  }
  delta /= static_cast<float>(w.n);
  const auto dense_backward = [&](std::size_t l, const auto& from) {
    const Layer& layer = layers_[l];
    Eigen::Map<Eigen::MatrixXf>(gradient.data() + layer.weight, layer.outputs, layer.inputs).noalias() =
        delta * from.transpose();
    gradient.segment(layer.bias, layer.outputs) = delta.rowwise().sum();
    const Map weight(w.parameters.data() + layer.weight, layer.outputs, layer.inputs);
    Eigen::MatrixXf next(layer.inputs, w.n);
    next.noalias() = weight.transpose() * delta;
    delta = std::move(next);
  };
  dense_backward(4, w.features);
  delta = (w.features.array() > 0).select(delta, 0.0F);
  dense_backward(3, w.hidden);
  delta = (w.hidden.array() > 0).select(delta, 0.0F);
  dense_backward(2, Map(w.p2.data(), layers_[2].inputs, w.n));

  const auto convolution_gradient = [&](std::size_t l, Convolution& convolution) {
    convolution.gradient(gradient.data() + layers_[l].weight, gradient.data() + layers_[l].bias);
  };
  // p2 is no longer needed: it takes dL/dp2.
  w.p2 = Eigen::Map<const Eigen::VectorXf>(delta.data(), delta.size());
  relu_pool_backward(w.p2, w.n, side_ / 2, channels2, w.a2);
  w.conv2.clear_gradient();
  w.conv2.backward(w.p1.data(), w.a2.data(), w.dp1.data());
  convolution_gradient(1, w.conv2);
  relu_pool_backward(w.dp1, w.n, side_, channels1, w.a1);
  w.conv1.clear_gradient();
  w.conv1.backward(x.data(), w.a1.data(), nullptr);
  convolution_gradient(0, w.conv1);
  return loss / static_cast<double>(w.n);
}

ModelState train_lenet(const Eigen::MatrixXf& images, const std::vector<std::uint8_t>& labels, Index classes,
                       const LenetTraining& options, const Stream& stream) {
  const Lenet net(static_cast<Index>(std::llround(std::sqrt(static_cast<double>(images.rows())))), classes);
  if (net.side() * net.side() != images.rows()) throw InvalidInput("lenet: images that are not square");
  check_labels(labels, images.cols(), classes);
  const Index batch = std::min(options.batch, images.cols());
  if (batch < 1 || options.epochs < 1) throw InvalidInput("lenet: nothing to train on");
  const Index steps_an_epoch = images.cols() / batch;
  AdamOptions adam_options;
  adam_options.learning_rate = options.learning_rate;
  adam_options.steps = options.epochs * steps_an_epoch;
  adam_options.warmup = std::min<Index>(100, adam_options.steps / 10);
  Eigen::VectorXf parameters = net.initial_parameters(stream.at("initialisation"));
  Adam adam(adam_options, parameters);
  Lenet::Workspace workspace = net.make_workspace(batch, true);
  Eigen::VectorXf gradient;
  Eigen::MatrixXf x(images.rows(), batch);
  std::vector<std::uint8_t> y(static_cast<std::size_t>(batch));
  for (Index epoch = 0; epoch < options.epochs; ++epoch) {
    Stream own = stream.at("order").at(static_cast<std::uint64_t>(epoch));
    const std::vector<Index> order = own.permutation(images.cols());
    for (Index s = 0; s < steps_an_epoch; ++s) {
      for (Index j = 0; j < batch; ++j) {
        const Index from = order[static_cast<std::size_t>(s * batch + j)];
        x.col(j) = images.col(from);
        y[static_cast<std::size_t>(j)] = labels[static_cast<std::size_t>(from)];
      }
      net.load(parameters, workspace);
      net.forward(x, workspace);
      const double loss = net.backward(x, y, workspace, gradient);
      if (!std::isfinite(loss)) throw NumericalFailure(fmt::format("lenet: loss {} in epoch {}", loss, epoch));
      adam.step(gradient, parameters);
    }
  }
  return net.to_state(adam.average());
}

double lenet_accuracy(const ModelState& state, const Eigen::MatrixXf& images, const std::vector<std::uint8_t>& labels) {
  Evaluation evaluation(state);
  check_labels(labels, images.cols(), 256);
  if (images.cols() == 0) throw InvalidInput("lenet: no images");
  Index right = 0;
  evaluation.over(images, [&](Index first, Index n, const Lenet::Workspace& w) {
    for (Index j = 0; j < n; ++j) {
      Index best = 0;
      Lenet::logits_of(w).col(j).maxCoeff(&best);
      right += best == labels[static_cast<std::size_t>(first + j)] ? 1 : 0;
    }
  });
  return static_cast<double>(right) / static_cast<double>(images.cols());
}

Eigen::MatrixXf lenet_features(const ModelState& state, const Eigen::MatrixXf& images) {
  return Evaluation(state).features(images);
}

std::string state_hash(const ModelState& state) {
  Sha256 hash;
  for (const auto& [name, value] : state) {
    hash.update(fmt::format("{} {} {}\n", name, value.rows(), value.cols()));
    hash.update(value.data(), static_cast<std::size_t>(value.size()) * sizeof(float));
  }
  return to_hex(hash.finish());
}

Index lenet_side(const ImageLayout& image) {
  if (image.height != image.width || image.width < 4 || image.width % 2 != 0) return 0;
  const Index side = image.width % 4 == 0 ? image.width : 2 * image.width;
  return side <= 64 ? side : 0;
}

Eigen::MatrixXf lenet_input(const ImageLayout& image, double total, const PointsRef& points) {
  const Index side = lenet_side(image);
  if (side == 0) throw InvalidInput(fmt::format("lenet: images of {}×{} pixels", image.height, image.width));
  if (points.rows() != static_cast<Index>(image.pixels.size())) {
    throw InvalidInput(fmt::format("lenet: {} numbers for {} pixels", points.rows(), image.pixels.size()));
  }
  const Index repeat = side / image.width;
  const double scale = static_cast<double>(image.height * image.width) / total;
  const auto seen = [&](double x) { return static_cast<float>((x * scale - 1) / spread_of_digits); };
  Eigen::MatrixXf result = Eigen::MatrixXf::Constant(side * side, points.cols(), seen(0));
  for (Index j = 0; j < points.cols(); ++j) {
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      const float value = seen(points(static_cast<Index>(i), j));
      const Index row = image.pixels[i] / image.width * repeat;
      const Index column = image.pixels[i] % image.width * repeat;
      for (Index r = 0; r < repeat; ++r) {
        for (Index c = 0; c < repeat; ++c) result((row + r) * side + column + c, j) = value;
      }
    }
  }
  return result;
}

FeatureMap make_lenet_features(const ModelState& state, const ImageLayout& image, double total, double accuracy) {
  if (lenet_side(image) != Lenet(state).side()) throw InvalidInput("lenet: weights for images of another size");
  FeatureMap result;
  const std::string weights = state_hash(state);
  result.name = fmt::format("{}@sha256:{}", Lenet::name, weights);
  result.parameters["accuracy"] = accuracy;
  result.parameters["weights_sha256"] = weights;
  result.parameters["preprocessing"] = preprocessing;
  // oneDNN is entered by the first call, which a parent of workers never makes.
  result.map = [state, image, total,
                evaluation = std::shared_ptr<Evaluation>()](const Points& points) mutable -> Points {
    if (!evaluation) evaluation = std::make_shared<Evaluation>(state);
    Points features(Lenet::features, points.cols());
    constexpr Index at_once = 16 * pass;  // bounds the copies
    for (Index first = 0; first < points.cols(); first += at_once) {
      const Index n = std::min(at_once, points.cols() - first);
      features.middleCols(first, n) =
          evaluation->features(lenet_input(image, total, points.middleCols(first, n))).cast<double>();
    }
    return features;
  };
  return result;
}

}  // namespace onmanifold
