// SPDX-License-Identifier: Apache-2.0
#include "models/flows/coupling_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using panels::lanes;
using panels::load;
using panels::store;
using panels::Vec;

/// Columns that density and samples take at once.
constexpr Index block = 512;
constexpr std::size_t most_parameters = 3 * most_spline_bins;

/// `lanes` columns of one row, or of \p count rows below it; columns beyond the last repeat it.
void gather(const Eigen::MatrixXf& from, Index row, Index count, Index column, Vec* to) {
  std::array<std::array<float, lanes>, most_parameters> rows;
  const Index last = from.cols() - 1;
  for (int i = 0; i < lanes; ++i) {
    const float* const source = &from(row, std::min<Index>(column + i, last));
    for (Index k = 0; k < count; ++k) rows[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = source[k];
  }
  for (Index k = 0; k < count; ++k) to[k] = load(rows[static_cast<std::size_t>(k)].data());
}

void scatter(const Vec* from, Index row, Index count, Index column, Eigen::MatrixXf& to) {
  std::array<std::array<float, lanes>, most_parameters> rows;
  for (Index k = 0; k < count; ++k) store(rows[static_cast<std::size_t>(k)].data(), from[k]);
  const Index columns = std::min<Index>(lanes, to.cols() - column);
  for (Index i = 0; i < columns; ++i) {
    float* const target = &to(row, column + i);
    for (Index k = 0; k < count; ++k) target[k] = rows[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)];
  }
}

}  // namespace

CouplingFlow::CouplingFlow(Index dimension, Index layers, std::unique_ptr<Bijection> bijection, Index width,
                           Index depth)
    : dimension_(dimension), bijection_(std::move(bijection)) {
  if (dimension < 2) throw Unsupported("a coupling flow needs two coordinates or more");
  if (layers < 1) throw InvalidInput(fmt::format("coupling flow: {} layers", layers));
  for (Index l = 0; l < layers; ++l) {
    std::vector<Index> read;
    std::vector<Index> moved;
    for (Index i = 0; i < dimension; ++i) ((i + l) % 2 == 1 ? moved : read).push_back(i);
    const MlpShape shape{.data = static_cast<Index>(read.size()),
                         .width = width,
                         .depth = depth,
                         .outputs = static_cast<Index>(moved.size()) * bijection_->parameters(),
                         .timed = false};
    layers_.push_back({std::move(read), std::move(moved), Mlp(shape), size_});
    size_ += layers_.back().network.buffer_size();
  }
}

Eigen::VectorXf CouplingFlow::initial_parameters(const Stream& stream) const {
  Eigen::VectorXf result(size_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Mlp& network = layers_[l].network;
    result.segment(layers_[l].offset, network.buffer_size()) =
        network.with_zero_output(network.initial_parameters(stream.at(static_cast<std::uint64_t>(l))));
  }
  return result;
}

ModelState CouplingFlow::to_state(const Eigen::VectorXf& parameters) const {
  ModelState result;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    for (auto& [name, values] : layers_[l].network.to_state(part(layers_[l], parameters))) {
      result[fmt::format("coupling_{}_{}", l, name)] = values;
    }
  }
  return result;
}

Eigen::VectorXf CouplingFlow::from_state(const ModelState& state) const {
  Eigen::VectorXf result(size_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const std::string prefix = fmt::format("coupling_{}_", l);
    ModelState own;
    for (const auto& [name, values] : state) {
      if (name.starts_with(prefix)) own[name.substr(prefix.size())] = values;
    }
    result.segment(layers_[l].offset, layers_[l].network.buffer_size()) = layers_[l].network.from_state(own);
  }
  return result;
}

CouplingFlow::Tape::Tape(const CouplingFlow& flow, Index columns) : dx_(flow.dimension_, columns), none_(0, columns) {
  for (const CouplingFlow::Layer& layer : flow.layers_) {
    Layer& own = layers_.emplace_back();
    own.gradient.setZero(layer.network.buffer_size());
    own.tape = layer.network.make_tape(columns);
    own.x.setZero(flow.dimension_, columns);
    own.theta.setZero(layer.network.output_size(), columns);
  }
}

void CouplingFlow::forward(const Eigen::VectorXf& parameters, const Eigen::MatrixXf& x, Tape& tape, Eigen::MatrixXf& z,
                           Eigen::VectorXf& log_det) const {
  const Index n = tape.dx_.cols();
  if (parameters.size() != size_ || x.rows() != dimension_ || x.cols() != n) {
    throw InvalidInput("coupling flow: forward got arrays of wrong sizes");
  }
  const Index count = bijection_->parameters();
  std::array<Vec, most_parameters> theta;
  z = x;
  log_det.setZero(n);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    Tape::Layer& own = tape.layers_[l];
    own.parameters = part(layer, parameters);
    own.x = z;
    tape.read_.resize(layer.network.data_size(), n);
    for (std::size_t i = 0; i < layer.read.size(); ++i) {
      tape.read_.row(static_cast<Index>(i)) = z.row(layer.read[i]);
    }
    layer.network.forward(own.parameters, tape.read_, tape.none_, *own.tape, own.theta);
    for (Index c = 0; c < n; c += lanes) {
      for (std::size_t i = 0; i < layer.moved.size(); ++i) {
        Vec in;
        Vec out;
        Vec log_slope;
        gather(own.x, layer.moved[i], 1, c, &in);
        gather(own.theta, static_cast<Index>(i) * count, count, c, theta.data());
        bijection_->apply(theta.data(), in, out, log_slope);
        scatter(&out, layer.moved[i], 1, c, z);
        for (int k = 0; k < lanes && c + k < n; ++k) log_det[c + k] += log_slope[k];
      }
    }
  }
}

void CouplingFlow::backward(const Eigen::MatrixXf& dz, float dlog_det, Tape& tape, Eigen::VectorXf& gradient,
                            Eigen::MatrixXf* dx) const {
  const Index n = tape.dx_.cols();
  if (gradient.size() != size_ || dz.rows() != dimension_ || dz.cols() != n) {
    throw InvalidInput("coupling flow: backward got arrays of wrong sizes");
  }
  const Index count = bijection_->parameters();
  std::array<Vec, most_parameters> theta;
  std::array<Vec, most_parameters> dtheta;
  const Vec dlog = Vec{} + dlog_det;
  tape.dx_ = dz;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = layers_[l];
    Tape::Layer& own = tape.layers_[l];
    tape.dtheta_.resize(layer.network.output_size(), n);
    for (Index c = 0; c < n; c += lanes) {
      for (std::size_t i = 0; i < layer.moved.size(); ++i) {
        Vec in;
        Vec dout;
        Vec din;
        gather(own.x, layer.moved[i], 1, c, &in);
        gather(tape.dx_, layer.moved[i], 1, c, &dout);
        gather(own.theta, static_cast<Index>(i) * count, count, c, theta.data());
        bijection_->differentiate(theta.data(), in, dout, dlog, din, dtheta.data());
        scatter(&din, layer.moved[i], 1, c, tape.dx_);
        scatter(dtheta.data(), static_cast<Index>(i) * count, count, c, tape.dtheta_);
      }
    }
    layer.network.backward(own.parameters, tape.dtheta_, *own.tape, own.gradient);
    gradient.segment(layer.offset, own.gradient.size()) = own.gradient;
    if (l == 0 && dx == nullptr) break;
    tape.dread_.resize(layer.network.data_size(), n);
    layer.network.input_gradient(own.parameters, *own.tape, tape.dread_);
    for (std::size_t i = 0; i < layer.read.size(); ++i) {
      tape.dx_.row(layer.read[i]) += tape.dread_.row(static_cast<Index>(i));
    }
  }
  if (dx != nullptr) *dx = tape.dx_;
}

template <class Body>
void CouplingFlow::for_each_theta(std::size_t index, const Eigen::VectorXf& weights, const Points& x,
                                  const Body& body) const {
  const Layer& layer = layers_[index];
  const Index count = bijection_->parameters();
  const auto scratch = layer.network.make_scratch(std::min(block, x.cols()));
  const Eigen::VectorXf none;
  Eigen::MatrixXf read(layer.network.data_size(), std::min(block, x.cols()));
  Eigen::MatrixXf theta(layer.network.output_size(), read.cols());
  std::array<double, most_parameters> own;
  for (Index first = 0; first < x.cols(); first += block) {
    const Index n = std::min(block, x.cols() - first);
    for (Index c = 0; c < n; ++c) {
      for (std::size_t i = 0; i < layer.read.size(); ++i) {
        read(static_cast<Index>(i), c) = static_cast<float>(x(layer.read[i], first + c));
      }
    }
    layer.network.evaluate(weights, read, n, none, *scratch, theta);
    for (Index c = 0; c < n; ++c) {
      for (std::size_t i = 0; i < layer.moved.size(); ++i) {
        std::copy_n(&theta(static_cast<Index>(i) * count, c), count, own.data());
        body(own.data(), first + c, layer.moved[i]);
      }
    }
  }
}

void CouplingFlow::to_base(const Eigen::VectorXf& parameters, const PointsRef& x, Points& z, Vector& log_det) const {
  check_dimension(x, dimension_, "coupling flow");
  z = x;
  log_det.setZero(x.cols());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    for_each_theta(l, part(layers_[l], parameters), z, [&](const double* theta, Index point, Index coordinate) {
      double out = 0;
      double log_slope = 0;
      bijection_->apply(theta, z(coordinate, point), out, log_slope);
      z(coordinate, point) = out;
      log_det[point] += log_slope;
    });
  }
}

Points CouplingFlow::from_base(const Eigen::VectorXf& parameters, const PointsRef& z) const {
  check_dimension(z, dimension_, "coupling flow");
  Points x = z;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    for_each_theta(l, part(layers_[l], parameters), x, [&](const double* theta, Index point, Index coordinate) {
      x(coordinate, point) = bijection_->invert(theta, x(coordinate, point));
    });
  }
  return x;
}

Vector standard_normal_log_density(const PointsRef& z) {
  const double constant = 0.5 * static_cast<double>(z.rows()) * std::log(2 * std::numbers::pi);
  return (-0.5 * z.colwise().squaredNorm().array() - constant).matrix().transpose();
}

}  // namespace onmanifold
