// SPDX-License-Identifier: Apache-2.0
#include "models/networks/unet.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/channel_kernels.hpp"
#include "models/networks/convolution.hpp"

namespace onmanifold {
namespace {

constexpr Index time_size = 64;
/// Images that go through the network together. One image keeps about 0.4 MB of activations for the backward
/// pass: more images would leave the cache, fewer would pay oneDNN's overhead of a call more often.
constexpr Index chunk = 8;

Index round_up(Index n) {
  return (n + 15) / 16 * 16;
}

Eigen::Map<const Eigen::MatrixXf> matrix(const Eigen::VectorXf& buffer, Index offset, Index rows, Index columns) {
  return {buffer.data() + offset, rows, columns};
}

Eigen::Map<Eigen::MatrixXf> matrix(Eigen::VectorXf& buffer, Index offset, Index rows, Index columns) {
  return {buffer.data() + offset, rows, columns};
}

}  // namespace

/// Everything of oneDNN.
struct Unet::Convolutions {
  Convolutions(const Unet& unet, bool training)
      : in(unet.in_, unet.grid_, training, true, false),
        down(unet.down_, unet.grid_, training),
        deep(unet.deep_, unet.grid_ / 2, training),
        rise(unet.rise_, unet.grid_ / 2, training, true, false),
        up(unet.up_, unet.grid_, training),
        out(unet.out_, unet.grid_, training, true, false) {}

  struct One : Convolution {
    One(const Layer& layer, Index side, bool training, bool input_gradient, bool add)
        : Convolution({.images = chunk,
                       .inputs = layer.inputs,
                       .outputs = layer.outputs,
                       .side = side,
                       .kernel = layer.kernel,
                       .training = training,
                       .input_gradient = input_gradient,
                       .add = add}),
          place(layer) {}
    Layer place;
  };
  struct OfBlock {
    OfBlock(const Block& block, Index side, bool training)
        : conv1(block.conv1, side, training, true, false), conv2(block.conv2, side, training, true, true) {
      if (block.skip.outputs > 0) skip = std::make_unique<One>(block.skip, side, training, true, false);
    }
    One conv1;
    One conv2;
    std::unique_ptr<One> skip;
  };

  template <class Action>
  void each(const Action& action) {
    for (One* one : {&in, &down.conv1, &down.conv2, &deep.conv1, &deep.conv2, &rise, &up.conv1, &up.conv2, &out}) {
      action(*one);
    }
    for (OfBlock* block : {&down, &deep, &up}) {
      if (block->skip) action(*block->skip);
    }
  }

  One in;
  OfBlock down;
  OfBlock deep;
  One rise;
  OfBlock up;
  One out;
};

/// What a chunk of images leaves behind, and room for its gradients.
struct Unet::Activations {
  struct OfBlock {
    OfBlock(const Block& block, Index side)
        : a1(Eigen::VectorXf::Zero(chunk * side * side * block.conv1.inputs)),
          h(Eigen::VectorXf::Zero(chunk * side * side * block.conv1.outputs)),
          a2(h),
          out(h),
          time(Eigen::MatrixXf::Zero(block.conv1.outputs, chunk)),
          norm1(chunk),
          norm2(chunk) {}
    Eigen::VectorXf a1;
    Eigen::VectorXf h;
    Eigen::VectorXf a2;
    Eigen::VectorXf out;
    Eigen::MatrixXf time;
    std::vector<channels::Statistics> norm1;
    std::vector<channels::Statistics> norm2;
  };

  explicit Activations(const Unet& unet)
      : embedding(Eigen::MatrixXf::Zero(embedding_size, chunk)),
        tau_slope(Eigen::MatrixXf::Zero(time_size, chunk)),
        tau(tau_slope),
        dtau(tau_slope),
        x(Eigen::VectorXf::Zero(chunk * unet.grid_ * unet.grid_ * unet.in_.inputs)),
        h0(Eigen::VectorXf::Zero(chunk * unet.grid_ * unet.grid_ * unet.options_.channels)),
        down(unet.down_, unet.grid_),
        halved(Eigen::VectorXf::Zero(h0.size() / 4)),
        deep(unet.deep_, unet.grid_ / 2),
        risen(halved),
        joined(h0),
        up(unet.up_, unet.grid_),
        last(h0),
        out_norm(chunk),
        dx(x),
        y(x) {}

  Eigen::MatrixXf embedding;
  Eigen::MatrixXf tau_slope;  // silu'(W e + b)
  Eigen::MatrixXf tau;
  Eigen::MatrixXf dtau;
  Eigen::VectorXf x;
  Eigen::VectorXf h0;
  OfBlock down;
  Eigen::VectorXf halved;
  OfBlock deep;
  Eigen::VectorXf risen;
  Eigen::VectorXf joined;
  OfBlock up;
  Eigen::VectorXf last;
  std::vector<channels::Statistics> out_norm;
  Eigen::VectorXf dx;
  Eigen::VectorXf y;  // then dL/dy
  Index columns = 0;  // in use
};

/// Gradients on their way back; the same for all chunks.
struct Unet::Room {
  explicit Room(const Unet& unet) {
    const Index points = chunk * unet.grid_ * unet.grid_;
    fine.fill(Eigen::VectorXf::Zero(points * unet.options_.channels));
    coarse.fill(Eigen::VectorXf::Zero(points / 4 * std::max(unet.options_.channels, unet.options_.deep_channels)));
  }
  std::array<Eigen::VectorXf, 3> fine;
  std::array<Eigen::VectorXf, 3> coarse;
};

class Unet::UnetTape final : public Network::Tape {
 public:
  UnetTape(const Unet& unet, Index most)
      : convolutions(unet, true),
        chunks(static_cast<std::size_t>((most + chunk - 1) / chunk), Activations(unet)),
        room(unet),
        capacity(most) {}

  Convolutions convolutions;
  std::vector<Activations> chunks;
  Room room;
  Index capacity = 0;
  Index columns = 0;
};

class Unet::UnetScratch final : public Network::Scratch {
 public:
  UnetScratch(const Unet& unet, Index most) : convolutions(unet, false), activations(unet), capacity(most) {}

  Convolutions convolutions;
  Activations activations;
  Index capacity = 0;
};

class Unet::TangentScratch final : public Network::Scratch {
 public:
  explicit TangentScratch(const Unet& unet)
      : convolutions(unet, false), linear(unet, false), values(unet), changes(unet) {}

  Convolutions convolutions;
  Convolutions linear;  // the same weights without biases
  Activations values;
  Activations changes;
};

Index Unet::add_tensor(Tensor tensor) {
  tensor.offset = size_;
  size_ += round_up(tensor.rows * tensor.columns);
  tensors_.push_back(std::move(tensor));
  return tensors_.back().offset;
}

Unet::Layer Unet::add_layer(const std::string& name, Index outputs, Index inputs, Index kernel) {
  Layer layer{.outputs = outputs, .inputs = inputs, .kernel = kernel};
  const Index fan = inputs * kernel * kernel;
  const double bound = 1 / std::sqrt(static_cast<double>(fan));
  layer.weight = add_tensor({.name = name + "_weight", .rows = outputs, .columns = fan, .bound = bound});
  layer.bias = add_tensor({.name = name + "_bias", .rows = outputs, .columns = 1, .bound = bound});
  return layer;
}

Unet::Norm Unet::add_norm(const std::string& name, Index count) {
  Norm norm{.channels = count};
  norm.gain = add_tensor({.name = name + "_gain", .rows = count, .columns = 1, .constant = 1});
  norm.shift = add_tensor({.name = name + "_shift", .rows = count, .columns = 1});
  return norm;
}

Unet::Block Unet::add_block(const std::string& name, Index inputs, Index outputs) {
  Block block;
  block.norm1 = add_norm(name + "_norm1", inputs);
  block.conv1 = add_layer(name + "_conv1", outputs, inputs, 3);
  block.time = add_tensor({.name = name + "_time_weight",
                           .rows = outputs,
                           .columns = time_size,
                           .bound = 1 / std::sqrt(static_cast<double>(time_size)),
                           .row_major = false});
  block.norm2 = add_norm(name + "_norm2", outputs);
  block.conv2 = add_layer(name + "_conv2", outputs, outputs, 3);
  if (inputs != outputs) block.skip = add_layer(name + "_skip", outputs, inputs, 1);
  return block;
}

Unet::Unet(ImageLayout image, UnetOptions options) : options_(options), side_(image.height) {
  if (image.height != image.width || side_ < 4 || side_ % 2 != 0) {
    throw InvalidInput(fmt::format("U-Net: images of {}×{} pixels; they must be square with an even side of at least 4",
                                   image.height, image.width));
  }
  for (const Index count : {options.channels, options.deep_channels}) {
    if (count < 16 || count % 16 != 0 || count > channels::most) {
      throw InvalidInput(
          fmt::format("U-Net: {} channels; a multiple of 16 from 16 to {} is needed", count, channels::most));
    }
  }
  patch_ = side_ > 16 && side_ % 4 == 0 ? 2 : 1;
  grid_ = side_ / patch_;
  std::vector<bool> taken(static_cast<std::size_t>(side_ * side_), false);
  for (const Index pixel : image.pixels) {
    if (pixel < 0 || pixel >= side_ * side_ || taken[static_cast<std::size_t>(pixel)]) {
      throw InvalidInput(fmt::format("U-Net: pixel {} is outside the image or listed twice", pixel));
    }
    taken[static_cast<std::size_t>(pixel)] = true;
    const Index row = pixel / side_;
    const Index column = pixel % side_;
    places_.push_back(((row / patch_ * grid_ + column / patch_) * patch_ + row % patch_) * patch_ + column % patch_);
  }
  if (places_.empty()) throw InvalidInput("U-Net: no pixels");

  const Index fine = options.channels;
  const Index coarse = options.deep_channels;
  time_ = {.outputs = time_size, .inputs = embedding_size};
  const double bound = 1 / std::sqrt(static_cast<double>(embedding_size));
  time_.weight = add_tensor(
      {.name = "time_weight", .rows = time_size, .columns = embedding_size, .bound = bound, .row_major = false});
  time_.bias = add_tensor({.name = "time_bias", .rows = time_size, .columns = 1, .bound = bound});
  in_ = add_layer("in", fine, patch_ * patch_, 3);
  down_ = add_block("down", fine, fine);
  deep_ = add_block("deep", fine, coarse);
  rise_ = add_layer("rise", fine, coarse, 1);
  up_ = add_block("up", fine, fine);
  out_norm_ = add_norm("out_norm", fine);
  out_ = add_layer("out", patch_ * patch_, fine, 3);
}

std::string Unet::name() const {
  return fmt::format("unet-{}x{}-{}-{}", side_, side_, options_.channels, options_.deep_channels);
}

Index Unet::parameter_count() const {
  Index count = 0;
  for (const Tensor& tensor : tensors_) count += tensor.rows * tensor.columns;
  return count;
}

Index Unet::multiply_adds() const {
  const auto of = [](const Layer& l, Index side) { return l.outputs * l.inputs * l.kernel * l.kernel * side * side; };
  const auto of_block = [&](const Block& b, Index side) {
    return of(b.conv1, side) + of(b.conv2, side) + of(b.skip, side);
  };
  return of(in_, grid_) + of_block(down_, grid_) + of_block(deep_, grid_ / 2) + of(rise_, grid_ / 2) +
         of_block(up_, grid_) + of(out_, grid_);
}

Eigen::VectorXf Unet::initial_parameters(const Stream& stream) const {
  Eigen::VectorXf parameters = Eigen::VectorXf::Zero(size_);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = tensors_[i];
    const Index count = tensor.rows * tensor.columns;
    if (tensor.bound == 0) {
      parameters.segment(tensor.offset, count).setConstant(tensor.constant);
    } else {
      Stream draws = stream.at(i);
      parameters.segment(tensor.offset, count) =
          ((2 * draws.uniform(count, 1).array() - 1) * tensor.bound).cast<float>().matrix();
    }
  }
  return parameters;
}

ModelState Unet::to_state(const Eigen::VectorXf& parameters) const {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  ModelState state;
  for (const Tensor& tensor : tensors_) {
    Eigen::MatrixXf& value = state[tensor.name];
    value = matrix(parameters, tensor.offset, tensor.rows, tensor.columns);
    if (tensor.row_major) {
      value = Eigen::Map<const RowMajor>(parameters.data() + tensor.offset, tensor.rows, tensor.columns);
    }
  }
  return state;
}

Eigen::VectorXf Unet::from_state(const ModelState& state) const {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::VectorXf parameters = Eigen::VectorXf::Zero(size_);
  for (const Tensor& tensor : tensors_) {
    const auto entry = state.find(tensor.name);
    if (entry == state.end() || entry->second.rows() != tensor.rows || entry->second.cols() != tensor.columns) {
      throw InvalidInput(
          fmt::format("network {}: the state has no {} of {}×{}", name(), tensor.name, tensor.rows, tensor.columns));
    }
    if (tensor.row_major) {
      Eigen::Map<RowMajor>(parameters.data() + tensor.offset, tensor.rows, tensor.columns) = entry->second;
    } else {
      matrix(parameters, tensor.offset, tensor.rows, tensor.columns) = entry->second;
    }
  }
  return parameters;
}

Index Unet::pass_columns(Index batch) const {
  return std::min(batch, chunk);
}

std::unique_ptr<Network::Tape> Unet::make_tape(Index columns) const {
  return std::make_unique<UnetTape>(*this, columns);
}

std::unique_ptr<Network::Scratch> Unet::make_scratch(Index columns) const {
  return std::make_unique<UnetScratch>(*this, columns);
}

void Unet::load_weights(const Eigen::VectorXf& parameters, Convolutions& convolutions) const {
  convolutions.each([&](Convolutions::One& one) {
    one.set_weights(parameters.data() + one.place.weight, parameters.data() + one.place.bias);
  });
}

void Unet::forward_images(const Eigen::VectorXf& parameters, Convolutions& convolutions, Activations& a) const {
  const float* const w = parameters.data();
  // Time: tau and its part of every block.
  a.tau.noalias() = matrix(parameters, time_.weight, time_size, embedding_size) * a.embedding;
  for (Index i = 0; i < chunk; ++i) {
    for (Index j = 0; j < time_size; j += panels::lanes) {
      float* const at = a.tau.data() + i * time_size + j;
      const panels::Vec z = panels::load(at) + panels::load(w + time_.bias + j);
      const panels::Vec s = panels::sigmoid(z);
      const panels::Vec value = z * s;
      panels::store(at, value);
      panels::store(a.tau_slope.data() + i * time_size + j, s + value * (1.0F - s));
    }
  }
  const auto run_block = [&](const Block& place, Convolutions::OfBlock& block, Activations::OfBlock& act, Index side,
                             Eigen::VectorXf& x) {
    act.time.noalias() = matrix(parameters, place.time, place.conv1.outputs, time_size) * a.tau;
    const Index pixels = side * side;
    const Index inputs = place.conv1.inputs;
    const Index outputs = place.conv1.outputs;
    for (Index i = 0; i < chunk; ++i) {
      channels::norm_silu(w + place.norm1.gain, w + place.norm1.shift, pixels, inputs, nullptr,
                          x.data() + i * pixels * inputs, act.a1.data() + i * pixels * inputs,
                          act.norm1[static_cast<std::size_t>(i)]);
    }
    block.conv1.forward(act.a1.data(), act.h.data());
    for (Index i = 0; i < chunk; ++i) {
      channels::norm_silu(w + place.norm2.gain, w + place.norm2.shift, pixels, outputs, act.time.data() + i * outputs,
                          act.h.data() + i * pixels * outputs, act.a2.data() + i * pixels * outputs,
                          act.norm2[static_cast<std::size_t>(i)]);
    }
    if (block.skip) {
      block.skip->forward(x.data(), act.out.data());
    } else {
      act.out = x;
    }
    block.conv2.forward(act.a2.data(), act.out.data());
  };

  const Index fine = grid_ * grid_ * options_.channels;
  const Index coarse = fine / 4;
  convolutions.in.forward(a.x.data(), a.h0.data());
  run_block(down_, convolutions.down, a.down, grid_, a.h0);
  for (Index i = 0; i < chunk; ++i) {
    channels::halve(a.down.out.data() + i * fine, grid_, options_.channels, 0.25F, a.halved.data() + i * coarse);
  }
  run_block(deep_, convolutions.deep, a.deep, grid_ / 2, a.halved);
  convolutions.rise.forward(a.deep.out.data(), a.risen.data());
  for (Index i = 0; i < chunk; ++i) {
    channels::add_doubled(a.risen.data() + i * coarse, grid_, options_.channels, 1, a.down.out.data() + i * fine,
                          a.joined.data() + i * fine);
  }
  run_block(up_, convolutions.up, a.up, grid_, a.joined);
  for (Index i = 0; i < chunk; ++i) {
    channels::norm_silu(w + out_norm_.gain, w + out_norm_.shift, grid_ * grid_, options_.channels, nullptr,
                        a.up.out.data() + i * fine, a.last.data() + i * fine, a.out_norm[static_cast<std::size_t>(i)]);
  }
  convolutions.out.forward(a.last.data(), a.y.data());
}

void Unet::tangent_images(const Eigen::VectorXf& parameters, Convolutions& linear, const Activations& a,
                          Activations& t) const {
  const float* const w = parameters.data();
  const auto run_norm = [&](const Norm& norm, Index pixels, const Eigen::VectorXf& x,
                            const std::vector<channels::Statistics>& statistics, const Eigen::VectorXf& dx,
                            Eigen::VectorXf& da) {
    const Index size = pixels * norm.channels;
    for (Index i = 0; i < chunk; ++i) {
      channels::norm_silu_tangent(w + norm.gain, w + norm.shift, pixels, norm.channels, x.data() + i * size,
                                  statistics[static_cast<std::size_t>(i)], dx.data() + i * size, da.data() + i * size);
    }
  };
  // What a block adds of the time does not change with x.
  const auto run_block = [&](const Block& place, Convolutions::OfBlock& block, const Activations::OfBlock& act,
                             Activations::OfBlock& change, Index side, const Eigen::VectorXf& x,
                             const Eigen::VectorXf& dx) {
    const Index pixels = side * side;
    run_norm(place.norm1, pixels, x, act.norm1, dx, change.a1);
    block.conv1.forward(change.a1.data(), change.h.data());
    run_norm(place.norm2, pixels, act.h, act.norm2, change.h, change.a2);
    if (block.skip) {
      block.skip->forward(dx.data(), change.out.data());
    } else {
      change.out = dx;
    }
    block.conv2.forward(change.a2.data(), change.out.data());
  };

  const Index fine = grid_ * grid_ * options_.channels;
  const Index coarse = fine / 4;
  linear.in.forward(t.x.data(), t.h0.data());
  run_block(down_, linear.down, a.down, t.down, grid_, a.h0, t.h0);
  for (Index i = 0; i < chunk; ++i) {
    channels::halve(t.down.out.data() + i * fine, grid_, options_.channels, 0.25F, t.halved.data() + i * coarse);
  }
  run_block(deep_, linear.deep, a.deep, t.deep, grid_ / 2, a.halved, t.halved);
  linear.rise.forward(t.deep.out.data(), t.risen.data());
  for (Index i = 0; i < chunk; ++i) {
    channels::add_doubled(t.risen.data() + i * coarse, grid_, options_.channels, 1, t.down.out.data() + i * fine,
                          t.joined.data() + i * fine);
  }
  run_block(up_, linear.up, a.up, t.up, grid_, a.joined, t.joined);
  run_norm(out_norm_, grid_ * grid_, a.up.out, a.out_norm, t.up.out, t.last);
  linear.out.forward(t.last.data(), t.y.data());
}

void Unet::backward_images(const Eigen::VectorXf& parameters, Convolutions& convolutions, Activations& a, Room& room,
                           bool input_gradient, Eigen::VectorXf& gradient) const {
  const float* const w = parameters.data();
  float* const g = gradient.data();
  a.dtau.setZero();
  // From dL/dout in `dout` to dL/dx in `dx`, which may be `dout` or `room_a`. act.time becomes
  // dL/d(act.time).
  const auto run_block = [&](const Block& place, Convolutions::OfBlock& block, Activations::OfBlock& act, Index side,
                             const Eigen::VectorXf& x, const float* dout, float* room_h, float* room_a, float* dx) {
    const Index pixels = side * side;
    const Index inputs = place.conv1.inputs;
    const Index outputs = place.conv1.outputs;
    block.conv2.backward(act.a2.data(), dout, room_h);
    for (Index i = 0; i < chunk; ++i) {
      float* const dh = room_h + i * pixels * outputs;
      channels::norm_silu_backward(w + place.norm2.gain, w + place.norm2.shift, pixels, outputs,
                                   act.h.data() + i * pixels * outputs, act.norm2[static_cast<std::size_t>(i)], dh,
                                   nullptr, dh, g + place.norm2.gain, g + place.norm2.shift,
                                   act.time.data() + i * outputs);
    }
    matrix(gradient, place.time, outputs, time_size).noalias() += act.time * a.tau.transpose();
    a.dtau.noalias() += matrix(parameters, place.time, outputs, time_size).transpose() * act.time;
    block.conv1.backward(act.a1.data(), room_h, room_a);
    const float* straight = dout;
    if (block.skip) {
      block.skip->backward(x.data(), dout, room_h);
      straight = room_h;
    }
    for (Index i = 0; i < chunk; ++i) {
      const Index at = i * pixels * inputs;
      channels::norm_silu_backward(w + place.norm1.gain, w + place.norm1.shift, pixels, inputs, x.data() + at,
                                   act.norm1[static_cast<std::size_t>(i)], room_a + at, straight + at, dx + at,
                                   g + place.norm1.gain, g + place.norm1.shift, nullptr);
    }
  };

  const Index fine = grid_ * grid_ * options_.channels;
  const Index coarse = fine / 4;
  float* const f1 = room.fine[0].data();
  float* const f2 = room.fine[1].data();
  float* const f3 = room.fine[2].data();
  float* const c1 = room.coarse[0].data();
  float* const c2 = room.coarse[1].data();
  float* const c3 = room.coarse[2].data();
  convolutions.out.backward(a.last.data(), a.y.data(), f1);
  for (Index i = 0; i < chunk; ++i) {
    float* const at = f1 + i * fine;
    channels::norm_silu_backward(w + out_norm_.gain, w + out_norm_.shift, grid_ * grid_, options_.channels,
                                 a.up.out.data() + i * fine, a.out_norm[static_cast<std::size_t>(i)], at, nullptr, at,
                                 g + out_norm_.gain, g + out_norm_.shift, nullptr);
  }
  run_block(up_, convolutions.up, a.up, grid_, a.joined, f1, f2, f3, f1);
  for (Index i = 0; i < chunk; ++i) {
    channels::halve(f1 + i * fine, grid_, options_.channels, 1, c1 + i * coarse);
  }
  convolutions.rise.backward(a.deep.out.data(), c1, c2);
  run_block(deep_, convolutions.deep, a.deep, grid_ / 2, a.halved, c2, c3, c1, c1);
  for (Index i = 0; i < chunk; ++i) {
    channels::add_doubled(c1 + i * coarse, grid_, options_.channels, 0.25F, f1 + i * fine, f1 + i * fine);
  }
  run_block(down_, convolutions.down, a.down, grid_, a.h0, f1, f2, f3, f1);
  convolutions.in.backward(a.x.data(), f1, input_gradient ? a.dx.data() : nullptr);
  a.dtau.array() *= a.tau_slope.array();
  matrix(gradient, time_.weight, time_size, embedding_size).noalias() += a.dtau * a.embedding.transpose();
  for (Index i = 0; i < chunk; ++i) gradient.segment(time_.bias, time_size) += a.dtau.col(i);
}

void Unet::forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& embeddings,
                   Network::Tape& any_tape, Eigen::MatrixXf& y) const {
  UnetTape& tape = static_cast<UnetTape&>(any_tape);
  const Index n = x.cols();
  if (n > tape.capacity || x.rows() != data_size() || embeddings.rows() != embedding_size || embeddings.cols() != n ||
      y.rows() != data_size() || y.cols() != n || parameters.size() != size_) {
    throw InvalidInput("network: forward got arrays of wrong sizes");
  }
  tape.columns = n;
  load_weights(parameters, tape.convolutions);
  for (Index first = 0; first < n; first += chunk) {
    Activations& a = tape.chunks[static_cast<std::size_t>(first / chunk)];
    const Index columns = std::min(chunk, n - first);
    scatter(x, first, columns, a.x);
    a.embedding.leftCols(columns) = embeddings.middleCols(first, columns);
    a.embedding.rightCols(chunk - columns).setZero();
    forward_images(parameters, tape.convolutions, a);
    gather(a.y, first, columns, y);
  }
}

void Unet::backward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& dy, Network::Tape& any_tape,
                    Eigen::VectorXf& gradient) const {
  UnetTape& tape = static_cast<UnetTape&>(any_tape);
  const Index n = tape.columns;
  if (n == 0 || dy.rows() != data_size() || dy.cols() != n || gradient.size() != size_) {
    throw InvalidInput("network: backward got arrays of wrong sizes");
  }
  gradient.setZero();
  tape.convolutions.each([](Convolutions::One& one) { one.clear_gradient(); });
  for (Index first = 0; first < n; first += chunk) {
    Activations& a = tape.chunks[static_cast<std::size_t>(first / chunk)];
    scatter(dy, first, std::min(chunk, n - first), a.y);
    backward_images(parameters, tape.convolutions, a, tape.room, tape.keep_input_gradient, gradient);
  }
  tape.convolutions.each([&](Convolutions::One& one) {
    one.gradient(gradient.data() + one.place.weight, gradient.data() + one.place.bias);
  });
}

void Unet::input_gradient(const Eigen::VectorXf& /*parameters*/, const Network::Tape& any_tape,
                          Eigen::MatrixXf& dx) const {
  const UnetTape& tape = static_cast<const UnetTape&>(any_tape);
  const Index n = tape.columns;
  if (n == 0 || !tape.keep_input_gradient || dx.rows() != data_size() || dx.cols() != n) {
    throw InvalidInput("network: input_gradient got arrays of wrong sizes, or a tape that does not keep it");
  }
  for (Index first = 0; first < n; first += chunk) {
    gather(tape.chunks[static_cast<std::size_t>(first / chunk)].dx, first, std::min(chunk, n - first), dx);
  }
}

void Unet::evaluate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                    const Eigen::Ref<const Eigen::VectorXf>& embedding, Network::Scratch& any_scratch,
                    Eigen::MatrixXf& y) const {
  UnetScratch& scratch = static_cast<UnetScratch&>(any_scratch);
  if (n < 1 || n > scratch.capacity || x.rows() != data_size() || x.cols() < n || y.rows() != data_size() ||
      y.cols() < n || embedding.size() != embedding_size || parameters.size() != size_) {
    throw InvalidInput("network: evaluate got arrays of wrong sizes");
  }
  Activations& a = scratch.activations;
  load_weights(parameters, scratch.convolutions);
  a.embedding = embedding.replicate(1, chunk);
  for (Index first = 0; first < n; first += chunk) {
    const Index columns = std::min(chunk, n - first);
    scatter(x, first, columns, a.x);
    forward_images(parameters, scratch.convolutions, a);
    gather(a.y, first, columns, y);
  }
}

std::unique_ptr<Network::Scratch> Unet::make_tangent_scratch() const {
  return std::make_unique<TangentScratch>(*this);
}

void Unet::tangents(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x,
                    const Eigen::Ref<const Eigen::VectorXf>& embedding, const Eigen::MatrixXf& vectors, Index count,
                    Network::Scratch& any_scratch, Eigen::MatrixXf& y, Eigen::MatrixXf& products) const {
  auto* scratch = dynamic_cast<TangentScratch*>(&any_scratch);
  const Index n = x.cols();
  if (scratch == nullptr || x.rows() != data_size() || vectors.rows() != data_size() || count < 0 ||
      vectors.cols() != count * n || embedding.size() != embedding_size || parameters.size() != size_) {
    throw InvalidInput("network: tangents got arrays of wrong sizes, or another network's memory");
  }
  y.resize(data_size(), n);
  products.resize(data_size(), count * n);
  load_weights(parameters, scratch->convolutions);
  const Eigen::VectorXf no_bias = Eigen::VectorXf::Zero(channels::most);
  scratch->linear.each(
      [&](Convolutions::One& one) { one.set_weights(parameters.data() + one.place.weight, no_bias.data()); });
  Activations& a = scratch->values;
  a.embedding = embedding.replicate(1, chunk);
  Eigen::MatrixXf direction(data_size(), chunk);
  for (Index first = 0; first < n; first += chunk) {
    const Index columns = std::min(chunk, n - first);
    scatter(x, first, columns, a.x);
    forward_images(parameters, scratch->convolutions, a);
    gather(a.y, first, columns, y);
    for (Index j = 0; j < count; ++j) {
      for (Index i = 0; i < columns; ++i) direction.col(i) = vectors.col(count * (first + i) + j);
      scatter(direction, 0, columns, scratch->changes.x);
      tangent_images(parameters, scratch->linear, a, scratch->changes);
      gather(scratch->changes.y, 0, columns, direction);
      for (Index i = 0; i < columns; ++i) products.col(count * (first + i) + j) = direction.col(i);
    }
  }
}

void Unet::scatter(const Eigen::MatrixXf& from, Index first, Index columns, Eigen::VectorXf& to) const {
  const Index size = side_ * side_;
  to.setZero();
  for (Index i = 0; i < columns; ++i) {
    for (Index j = 0; j < data_size(); ++j) {
      to[i * size + places_[static_cast<std::size_t>(j)]] = from(j, first + i);
    }
  }
}

void Unet::gather(const Eigen::VectorXf& from, Index first, Index columns, Eigen::MatrixXf& to) const {
  const Index size = side_ * side_;
  for (Index i = 0; i < columns; ++i) {
    for (Index j = 0; j < data_size(); ++j) {
      to(j, first + i) = from[i * size + places_[static_cast<std::size_t>(j)]];
    }
  }
}

}  // namespace onmanifold
