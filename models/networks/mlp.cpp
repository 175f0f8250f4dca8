// SPDX-License-Identifier: Apache-2.0
#include "models/networks/mlp.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/panels.hpp"

namespace onmanifold {
namespace {

using panels::accumulate;
using panels::height;
using panels::lanes;
using panels::load;
using panels::store;
using panels::Tile;
using panels::tile_columns;
using panels::Vec;
using panels::vectors;

/// Columns of a batch, inputs of a layer and outputs of the last layer are padded to a multiple of these.
constexpr Index column_block = 8;
constexpr Index output_block = 4;
/// More outputs than this are computed in panels: a dot product for each of them costs more.
constexpr Index most_narrow = 64;
constexpr int output_tile = std::min<int>(output_block, tile_columns);
static_assert(column_block % tile_columns == 0 && output_block % output_tile == 0);

Index round_up(Index n, Index block) {
  return (n + block - 1) / block * block;
}

/// Columns that a panel has room for: never a multiple of 4096 bytes, or the panels of a layer would compete
/// for the same few sets of the first-level cache.
Index panel_capacity(Index n) {
  const Index capacity = round_up(n, column_block);
  return capacity % 32 == 0 ? capacity + column_block : capacity;
}

/// Sum over inputs of a tile: out panel columns n … n+tile-1 from the weights of one out panel (\p columns
/// inputs each) and the panels of \p in, \p inputs of them.
ONMANIFOLD_INLINE void multiply(Tile<tile_columns>& tile, const float* weight, const float* in, Index inputs,
                                Index capacity, Index n) {
  for (Index k = 0; k < inputs; k += height) {
    accumulate<tile_columns>(tile, weight + k * height, in + k * capacity + n * height, std::min(height, inputs - k), 1,
                             height);
  }
}

/// h = silu(z), z = W in + b, for columns 0 … n-1, and its slope silu'(z) if WithSlope; h = in + silu(z) if Skip, for
/// as many outputs as inputs.
template <bool WithSlope, bool Skip>
void dense_silu(const float* weight, Index columns, const float* bias, const float* in, Index inputs, Index outputs,
                Index capacity, Index n, float* out, float* slope) {
  for (Index p = 0; p < outputs; p += height) {
    for (Index c = 0; c < n; c += tile_columns) {
      Tile<tile_columns> tile;
      for (auto& column : tile) {
        for (int v = 0; v < vectors; ++v) column[v] = load(bias + p + v * lanes);
      }
      multiply(tile, weight + p * columns, in, inputs, capacity, c);
      for (int j = 0; j < tile_columns; ++j) {
        for (int v = 0; v < vectors; ++v) {
          const Vec s = panels::sigmoid(tile[j][v]);
          const Vec h = tile[j][v] * s;
          const Index at = p * capacity + (c + j) * height + v * lanes;
          if constexpr (Skip) {
            store(out + at, load(in + at) + h);
          } else {
            store(out + at, h);
          }
          if constexpr (WithSlope) store(slope + at, s + h * (1.0F - s));
        }
      }
    }
  }
}

/// slope <- slope * (W^T delta): \p transposed has panels over the inputs of the layer. If Skip: slope <- slope * g and
/// carried <- g with g = W^T delta + carried, the gradient that goes past the layer beside the one through it.
template <bool Skip>
void backpropagate(const float* transposed, const float* delta, Index inputs, Index outputs, Index capacity, Index n,
                   float* slope, float* carried) {
  for (Index p = 0; p < inputs; p += height) {
    for (Index c = 0; c < n; c += tile_columns) {
      Tile<tile_columns> tile{};
      multiply(tile, transposed + p * outputs, delta, outputs, capacity, c);
      for (int j = 0; j < tile_columns; ++j) {
        for (int v = 0; v < vectors; ++v) {
          const Index at = p * capacity + (c + j) * height + v * lanes;
          Vec g = tile[j][v];
          if constexpr (Skip) {
            g += load(carried + at);
            store(carried + at, g);
          }
          store(slope + at, load(slope + at) * g);
        }
      }
    }
  }
}

/// gradient(out panel, k) = sum_n delta(:, n) in(k, n), and the sums of delta for the bias.
void weight_gradient(const float* delta, const float* in, Index columns, Index outputs, Index capacity, Index n,
                     float* weight, float* bias) {
  for (Index p = 0; p < outputs; p += height) {
    const float* const rows = delta + p * capacity;
    for (Index k = 0; k < columns; k += tile_columns) {
      Tile<tile_columns> tile{};
      accumulate<tile_columns>(tile, rows, in + k / height * height * capacity + k % height, n, height, 1);
      for (int j = 0; j < tile_columns; ++j) {
        for (int v = 0; v < vectors; ++v) store(weight + p * columns + (k + j) * height + v * lanes, tile[j][v]);
      }
    }
    Tile<2> sum{};  // two chains: additions have a latency
    for (Index c = 0; c < n; c += 2) {
      for (int v = 0; v < vectors; ++v) {
        sum[0][v] += load(rows + c * height + v * lanes);
        sum[1][v] += load(rows + (c + 1) * height + v * lanes);
      }
    }
    for (int v = 0; v < vectors; ++v) store(bias + p + v * lanes, sum[0][v] + sum[1][v]);
  }
}

using Quad = float __attribute__((vector_size(16)));

/// to(j, i) = from(i, j) for 4×4 blocks, rows \p from_stride and \p to_stride floats apart.
void transpose4(const float* from, Index from_stride, float* to, Index to_stride) {
  std::array<Quad, 4> r;
  for (Index i = 0; i < 4; ++i) std::memcpy(&r[static_cast<std::size_t>(i)], from + i * from_stride, sizeof(Quad));
  const Quad a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const Quad b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Quad c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const Quad d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  const std::array<Quad, 4> out = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                                   __builtin_shufflevector(c, d, 0, 1, 4, 5),
                                   __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (Index i = 0; i < 4; ++i) std::memcpy(to + i * to_stride, &out[static_cast<std::size_t>(i)], sizeof(Quad));
}

/// Panels over the outputs -> panels over the inputs, both multiples of 32.
void transpose_panels(const float* from, Index outputs, Index inputs, float* to) {
  for (Index p = 0; p < outputs; p += height) {   // output panel
    for (Index q = 0; q < inputs; q += height) {  // input panel
      for (Index i = 0; i < height; i += 4) {
        for (Index j = 0; j < height; j += 4) {
          transpose4(from + p * inputs + (q + j) * height + i, height, to + q * outputs + (p + i) * height + j, height);
        }
      }
    }
  }
}

/// Lane sum in a fixed order.
ONMANIFOLD_INLINE float sum(Vec v) {
  std::array<float, lanes> lane;
  std::memcpy(lane.data(), &v, sizeof v);
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lane[static_cast<std::size_t>(i)] += lane[static_cast<std::size_t>(i + half)];
  }
  return lane[0];
}

/// y(d, n) = b(d) + sum over the inputs, a dot product along the panels; b = 0 where \p bias is null.
void output_layer(const float* weight, Index stride, const float* bias, const float* in, Index inputs, Index capacity,
                  Eigen::MatrixXf& y, Index n) {
  const Index outputs = y.rows();
  for (Index c = 0; c < n; ++c) {
    for (Index d = 0; d < outputs; ++d) {
      std::array<Vec, vectors> total{};
      for (Index p = 0; p < inputs; p += height) {
        for (int v = 0; v < vectors; ++v) {
          total[v] +=
              load(weight + p * stride + d * height + v * lanes) * load(in + p * capacity + c * height + v * lanes);
        }
      }
      for (int v = 1; v < vectors; ++v) total[0] += total[v];
      const float dot = sum(total[0]);
      y(d, c) = bias == nullptr ? dot : bias[d] + dot;
    }
  }
}

/// out = W in + b for columns 0 … n-1, in panels; rows of \p y are read from there.
void wide_output_layer(const float* weight, const float* bias, const float* in, Index inputs, Index capacity,
                       float* out, Eigen::MatrixXf& y, Index n) {
  const Index outputs = y.rows();
  for (Index p = 0; p < outputs; p += height) {
    for (Index c = 0; c < round_up(n, column_block); c += tile_columns) {
      Tile<tile_columns> tile;
      for (auto& column : tile) {
        for (int v = 0; v < vectors; ++v) column[v] = load(bias + p + v * lanes);
      }
      multiply(tile, weight + p * inputs, in, inputs, capacity, c);
      for (int j = 0; j < tile_columns; ++j) {
        for (int v = 0; v < vectors; ++v) store(out + p * capacity + (c + j) * height + v * lanes, tile[j][v]);
      }
    }
    const Index rows = std::min(height, outputs - p);
    for (Index c = 0; c < n; ++c) std::copy_n(out + p * capacity + c * height, rows, &y(p, c));
  }
}

}  // namespace

Mlp::Mlp(MlpShape shape) : shape_(shape) {
  if (shape.data < 1 || shape.depth < 1 || shape.outputs < 0 || shape.width < height || shape.width % height != 0) {
    throw InvalidInput(
        fmt::format("network: {} coordinates, width {}, depth {}: the width must be a positive multiple of "
                    "{}, the others positive",
                    shape.data, shape.width, shape.depth, height));
  }
  static_assert(embedding_size == height, "the embedding is the first panel of the input");
  const Index outputs = shape.outputs == 0 ? shape.data : shape.outputs;
  embedding_ = shape.timed ? embedding_size : 0;
  data_panels_ = round_up(shape.data, height) / height;
  wide_ = outputs > most_narrow;
  output_stride_ = round_up(outputs, wide_ ? height : output_block);
  for (Index l = 0; l <= shape.depth; ++l) {
    Layer layer;
    layer.inputs = l == 0 ? embedding_ + shape.data : shape.width;
    layer.outputs = l == shape.depth ? outputs : shape.width;
    layer.columns = l == shape.depth && !wide_ ? output_stride_ : round_up(layer.inputs, column_block);
    layer.weight = size_;
    const Index weights = l == shape.depth ? shape.width * output_stride_ : shape.width * layer.columns;
    layer.bias = layer.weight + weights;
    size_ = layer.bias + round_up(layer.outputs, height);
    layers_.push_back(layer);
  }
}

std::string Mlp::name() const {
  std::string result = fmt::format("{}", layers_.front().inputs);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    result += fmt::format("{}{}", skips(static_cast<Index>(l)) ? '+' : '-', layers_[l].outputs);
  }
  return result;
}

Index Mlp::parameter_count() const {
  Index count = 0;
  for (const Layer& layer : layers_) count += layer.outputs * (layer.inputs + 1);
  return count;
}

Index Mlp::weight_index(std::size_t index, Index out, Index in) const {
  const Layer& layer = layers_[index];
  if (index + 1 == layers_.size() && !wide_) {
    return layer.weight + in / height * height * layer.columns + out * height + in % height;
  }
  return layer.weight + out / height * height * layer.columns + in * height + out % height;
}

Eigen::VectorXf Mlp::initial_parameters(const Stream& stream) const {
  ModelState state;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const double bound = 1.0 / std::sqrt(static_cast<double>(layer.inputs));
    Stream draws = stream.at(l);
    state[fmt::format("layer_{}_weight", l)] =
        ((2 * draws.uniform(layer.outputs, layer.inputs).array() - 1) * bound).cast<float>().matrix();
    state[fmt::format("layer_{}_bias", l)] =
        ((2 * draws.uniform(layer.outputs, 1).array() - 1) * bound).cast<float>().matrix();
  }
  return from_state(state);
}

ModelState Mlp::to_state(const Eigen::VectorXf& parameters) const {
  ModelState state;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    Eigen::MatrixXf weight(layer.outputs, layer.inputs);
    for (Index in = 0; in < layer.inputs; ++in) {
      for (Index out = 0; out < layer.outputs; ++out) weight(out, in) = parameters[weight_index(l, out, in)];
    }
    state[fmt::format("layer_{}_weight", l)] = weight;
    state[fmt::format("layer_{}_bias", l)] = parameters.segment(layer.bias, layer.outputs);
  }
  return state;
}

Eigen::VectorXf Mlp::from_state(const ModelState& state) const {
  Eigen::VectorXf parameters = Eigen::VectorXf::Zero(size_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const auto find = [&](const char* part, Index rows, Index cols) -> const Eigen::MatrixXf& {
      const auto entry = state.find(fmt::format("layer_{}_{}", l, part));
      if (entry == state.end() || entry->second.rows() != rows || entry->second.cols() != cols) {
        throw InvalidInput(
            fmt::format("network {}: the state has no layer_{}_{} of {}×{}", name(), l, part, rows, cols));
      }
      return entry->second;
    };
    const Eigen::MatrixXf& weight = find("weight", layer.outputs, layer.inputs);
    for (Index in = 0; in < layer.inputs; ++in) {
      for (Index out = 0; out < layer.outputs; ++out) parameters[weight_index(l, out, in)] = weight(out, in);
    }
    parameters.segment(layer.bias, layer.outputs) = find("bias", layer.outputs, 1);
  }
  return parameters;
}

Mlp::Tape::Tape(const Mlp& network, Index columns) : capacity_(panel_capacity(columns)) {
  const MlpShape& shape = network.shape_;
  input_.setZero((network.embedding_ + network.data_panels_ * height) * capacity_);
  hidden_.assign(static_cast<std::size_t>(shape.depth), Eigen::VectorXf::Zero(shape.width * capacity_));
  slope_ = hidden_;
  transposed_.assign(static_cast<std::size_t>(shape.depth - 1), Eigen::VectorXf::Zero(shape.width * shape.width));
  if (shape.residual) carried_.setZero(shape.width * capacity_);
  if (network.wide_) {
    output_.setZero(network.output_stride_ * capacity_);
    output_transposed_.setZero(network.output_stride_ * shape.width);
  } else {
    output_gradient_.setZero(network.output_stride_ * capacity_);
  }
}

void Mlp::forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, const Eigen::MatrixXf& embeddings,
                  Network::Tape& any_tape, Eigen::MatrixXf& y) const {
  Tape& tape = static_cast<Tape&>(any_tape);
  const Index n = x.cols();
  if (n > tape.capacity_ || x.rows() != shape_.data || embeddings.rows() != embedding_ ||
      (embedding_ > 0 && embeddings.cols() != n) || y.rows() != output_size() || y.cols() != n) {
    throw InvalidInput("network: forward got arrays of wrong sizes");
  }
  tape.columns_ = n;
  const Index capacity = tape.capacity_;
  float* const input = tape.input_.data();
  std::copy_n(embeddings.data(), n * embedding_, input);
  for (Index c = 0; c < n; ++c) {
    for (Index d = 0; d < shape_.data; ++d) {
      input[(embedding_ + d / height * height) * capacity + c * height + d % height] = x(d, c);
    }
  }
  const Index padded = round_up(n, column_block);  // columns beyond n hold old numbers; backward gives them weight 0
  const float* in = input;
  for (Index l = 0; l < shape_.depth; ++l) {
    const Layer& layer = layers_[static_cast<std::size_t>(l)];
    float* const out = tape.hidden_[static_cast<std::size_t>(l)].data();
    const auto dense = skips(l) ? dense_silu<true, true> : dense_silu<true, false>;
    dense(parameters.data() + layer.weight, layer.columns, parameters.data() + layer.bias, in, layer.inputs,
          layer.outputs, capacity, padded, out, tape.slope_[static_cast<std::size_t>(l)].data());
    in = out;
  }
  const Layer& last = layers_.back();
  if (wide_) {
    wide_output_layer(parameters.data() + last.weight, parameters.data() + last.bias, in, last.inputs, capacity,
                      tape.output_.data(), y, n);
  } else {
    output_layer(parameters.data() + last.weight, output_stride_, parameters.data() + last.bias, in, last.inputs,
                 capacity, y, n);
  }
}

void Mlp::backward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& dy, Network::Tape& any_tape,
                   Eigen::VectorXf& gradient) const {
  Tape& tape = static_cast<Tape&>(any_tape);
  const Index n = tape.columns_;
  if (n == 0 || dy.rows() != output_size() || dy.cols() != n || gradient.size() != size_) {
    throw InvalidInput("network: backward got arrays of wrong sizes");
  }
  const Index capacity = tape.capacity_;
  const Index padded = round_up(n, column_block);
  const Layer& last = layers_.back();
  // Output layer: its weight gradient, and the gradient of the last hidden layer.
  const std::size_t depth = static_cast<std::size_t>(shape_.depth);
  const float* const top = tape.hidden_[depth - 1].data();
  float* const top_slope = tape.slope_[depth - 1].data();
  // With skip connections the gradient of h_l is kept: it reaches h_{l-1} through the layer and past it.
  tape.carried_.setZero();
  float* const carried = tape.carried_.data();
  const auto propagate = shape_.residual ? backpropagate<true> : backpropagate<false>;
  if (wide_) {
    float* const dout = tape.output_.data();
    for (Index p = 0; p < output_stride_; p += height) {
      const Index rows = std::min(height, output_size() - p);
      float* const panel = dout + p * capacity;
      for (Index c = 0; c < n; ++c) {
        std::copy_n(&dy(p, c), rows, panel + c * height);
        std::fill(panel + c * height + rows, panel + (c + 1) * height, 0.0F);
      }
      std::fill(panel + n * height, panel + padded * height, 0.0F);
    }
    weight_gradient(dout, top, last.columns, output_stride_, capacity, padded, gradient.data() + last.weight,
                    gradient.data() + last.bias);
    transpose_panels(parameters.data() + last.weight, output_stride_, shape_.width, tape.output_transposed_.data());
    propagate(tape.output_transposed_.data(), dout, shape_.width, output_stride_, capacity, padded, top_slope, carried);
  } else {
    float* const dout = tape.output_gradient_.data();
    Eigen::Map<Eigen::MatrixXf> padded_dy(dout, output_stride_, padded);
    padded_dy.topLeftCorner(output_size(), n) = dy;
    padded_dy.rightCols(padded - n).setZero();
    gradient.segment(last.bias, output_size()) = dy.rowwise().sum();
    for (Index p = 0; p < shape_.width; p += height) {
      for (Index d = 0; d < output_stride_; d += output_tile) {
        Tile<output_tile> tile{};
        accumulate<output_tile>(tile, top + p * capacity, dout + d, n, output_stride_, 1);
        for (int j = 0; j < output_tile; ++j) {
          for (int v = 0; v < vectors; ++v) {
            store(gradient.data() + last.weight + p * output_stride_ + (d + j) * height + v * lanes, tile[j][v]);
          }
        }
      }
      for (Index c = 0; c < padded; c += tile_columns) {
        Tile<tile_columns> tile{};
        accumulate<tile_columns>(tile, parameters.data() + last.weight + p * output_stride_, dout + c * output_stride_,
                                 output_size(), 1, output_stride_);
        for (int j = 0; j < tile_columns; ++j) {
          for (int v = 0; v < vectors; ++v) {
            const Index at = p * capacity + (c + j) * height + v * lanes;
            if (shape_.residual) store(carried + at, tile[j][v]);
            store(top_slope + at, load(top_slope + at) * tile[j][v]);
          }
        }
      }
    }
  }
  for (std::size_t l = depth; l-- > 0;) {
    const Layer& layer = layers_[l];
    const float* const delta = tape.slope_[l].data();
    const float* const in = l == 0 ? tape.input_.data() : tape.hidden_[l - 1].data();
    weight_gradient(delta, in, layer.columns, layer.outputs, capacity, padded, gradient.data() + layer.weight,
                    gradient.data() + layer.bias);
    if (l == 0) break;
    transpose_panels(parameters.data() + layer.weight, shape_.width, shape_.width, tape.transposed_[l - 1].data());
    propagate(tape.transposed_[l - 1].data(), delta, layer.inputs, layer.outputs, capacity, padded,
              tape.slope_[l - 1].data(), carried);
  }
}

void Mlp::input_gradient(const Eigen::VectorXf& parameters, const Network::Tape& any_tape, Eigen::MatrixXf& dx) const {
  const Tape& tape = static_cast<const Tape&>(any_tape);
  const Index n = tape.columns_;
  if (n == 0 || dx.rows() != shape_.data || dx.cols() != n || parameters.size() != size_) {
    throw InvalidInput("network: input_gradient got arrays of wrong sizes");
  }
  const Layer& first = layers_.front();
  output_layer(parameters.data() + first.weight + embedding_ * height, first.columns, nullptr,
               tape.slope_.front().data(), shape_.width, tape.capacity_, dx, n);
}

Mlp::Scratch::Scratch(const Mlp& network, Index columns) : capacity_(panel_capacity(columns)) {
  const MlpShape& shape = network.shape_;
  input_.setZero(network.data_panels_ * height * capacity_);
  first_.setZero(shape.width * capacity_);
  second_ = first_;
  bias_.setZero(shape.width);
  if (network.wide_) output_.setZero(network.output_stride_ * capacity_);
}

void Mlp::evaluate(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Index n,
                   const Eigen::Ref<const Eigen::VectorXf>& embedding, Network::Scratch& any_scratch,
                   Eigen::MatrixXf& y) const {
  Scratch& scratch = static_cast<Scratch&>(any_scratch);
  if (n < 1 || n > scratch.capacity_ || x.rows() != shape_.data || x.cols() < n || y.rows() != output_size() ||
      y.cols() < n || embedding.size() != embedding_) {
    throw InvalidInput("network: evaluate got arrays of wrong sizes");
  }
  const Index capacity = scratch.capacity_;
  const Index padded = round_up(n, column_block);
  for (Index c = 0; c < n; ++c) {
    for (Index d = 0; d < shape_.data; ++d) {
      scratch.input_[d / height * height * capacity + c * height + d % height] = x(d, c);
    }
  }
  const Layer& first = layers_.front();
  for (Index p = 0; p < shape_.width; p += height) {
    Tile<1> tile;
    for (int v = 0; v < vectors; ++v) tile[0][v] = load(parameters.data() + first.bias + p + v * lanes);
    accumulate<1>(tile, parameters.data() + first.weight + p * first.columns, embedding.data(), embedding_, 1, 0);
    for (int v = 0; v < vectors; ++v) store(scratch.bias_.data() + p + v * lanes, tile[0][v]);
  }
  const float* in = scratch.input_.data();
  float* out = scratch.first_.data();
  float* spare = scratch.second_.data();
  for (Index l = 0; l < shape_.depth; ++l) {
    const Layer& layer = layers_[static_cast<std::size_t>(l)];
    const float* const weight = parameters.data() + layer.weight + (l == 0 ? embedding_ * height : 0);
    const auto dense = skips(l) ? dense_silu<false, true> : dense_silu<false, false>;
    dense(weight, layer.columns, l == 0 ? scratch.bias_.data() : parameters.data() + layer.bias, in,
          l == 0 ? shape_.data : layer.inputs, layer.outputs, capacity, padded, out, nullptr);
    in = out;
    std::swap(out, spare);
  }
  const Layer& last = layers_.back();
  if (wide_) {
    wide_output_layer(parameters.data() + last.weight, parameters.data() + last.bias, in, last.inputs, capacity,
                      scratch.output_.data(), y, n);
  } else {
    output_layer(parameters.data() + last.weight, output_stride_, parameters.data() + last.bias, in, last.inputs,
                 capacity, y, n);
  }
}

}  // namespace onmanifold
