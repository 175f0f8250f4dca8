// SPDX-License-Identifier: Apache-2.0
#pragma once
// The U-Net as on paper: plain loops in double over its named weights. Forward only; gradients are compared
// with its finite differences.

#include <cmath>
#include <string>
#include <vector>

#include "contracts/generative_model.hpp"
#include "contracts/image_layout.hpp"

namespace onmanifold {

class ReferenceUnet {
 public:
  ReferenceUnet(const ImageLayout& image, const ModelState& state) : image_(image) {
    for (const auto& [name, value] : state) weights[name] = value.cast<double>();
  }

  /// One image: D numbers at D numbers and 32 numbers e(t).
  [[nodiscard]] Vector operator()(const Vector& x, const Vector& e) const {
    const Index side = image_.height;
    const Index patch = side > 16 && side % 4 == 0 ? 2 : 1;
    const Index grid = side / patch;
    Maps in(patch * patch, grid);
    for (std::size_t j = 0; j < image_.pixels.size(); ++j) {
      const auto [channel, row, column] = place(image_.pixels[j], patch);
      in(channel, row, column) = x[static_cast<Index>(j)];
    }
    Vector tau = weights.at("time_weight") * e + weights.at("time_bias");
    for (double& value : tau) value = silu(value);

    const Maps h1 = block("down", convolve("in", in), tau);
    Maps halved(h1.channels, grid / 2);
    for (Index c = 0; c < h1.channels; ++c) {
      for (Index r = 0; r < grid; ++r) {
        for (Index q = 0; q < grid; ++q) halved(c, r / 2, q / 2) += h1(c, r, q) / 4;
      }
    }
    const Maps risen = convolve("rise", block("deep", halved, tau));
    Maps joined = h1;
    for (Index c = 0; c < h1.channels; ++c) {
      for (Index r = 0; r < grid; ++r) {
        for (Index q = 0; q < grid; ++q) joined(c, r, q) += risen(c, r / 2, q / 2);
      }
    }
    const Maps out = convolve("out", norm_silu("out_norm", block("up", joined, tau)));
    Vector y(x.size());
    for (std::size_t j = 0; j < image_.pixels.size(); ++j) {
      const auto [channel, row, column] = place(image_.pixels[j], patch);
      y[static_cast<Index>(j)] = out(channel, row, column);
    }
    return y;
  }

  std::map<std::string, Eigen::MatrixXd> weights;

 private:
  struct Maps {
    Maps(Index c, Index s) : channels(c), side(s), values(Vector::Zero(c * s * s)) {}
    double& operator()(Index c, Index row, Index column) { return values[(c * side + row) * side + column]; }
    double operator()(Index c, Index row, Index column) const { return values[(c * side + row) * side + column]; }
    Index channels;
    Index side;
    Vector values;
  };

  [[nodiscard]] static double silu(double z) { return z / (1 + std::exp(-z)); }

  [[nodiscard]] std::array<Index, 3> place(Index pixel, Index patch) const {
    const Index row = pixel / image_.width;
    const Index column = pixel % image_.width;
    return {row % patch * patch + column % patch, row / patch, column / patch};
  }

  [[nodiscard]] Maps convolve(const std::string& name, const Maps& x) const {
    const Eigen::MatrixXd& weight = weights.at(name + "_weight");
    const Index kernel = weight.cols() == x.channels ? 1 : 3;
    Maps y(weight.rows(), x.side);
    for (Index o = 0; o < y.channels; ++o) {
      for (Index r = 0; r < x.side; ++r) {
        for (Index q = 0; q < x.side; ++q) {
          double sum = weights.at(name + "_bias")(o, 0);
          for (Index c = 0; c < x.channels; ++c) {
            for (Index i = 0; i < kernel; ++i) {
              for (Index j = 0; j < kernel; ++j) {
                const Index row = r + i - kernel / 2;
                const Index column = q + j - kernel / 2;
                if (row < 0 || row >= x.side || column < 0 || column >= x.side) continue;
                sum += weight(o, (c * kernel + i) * kernel + j) * x(c, row, column);
              }
            }
          }
          y(o, r, q) = sum;
        }
      }
    }
    return y;
  }

  [[nodiscard]] Maps norm_silu(const std::string& name, const Maps& x) const {
    const Index width = x.channels / 8;
    const Index pixels = x.side * x.side;
    Maps y = x;
    for (Index c = 0; c < x.channels; ++c) {
      const Vector group = x.values.segment(c / width * width * pixels, width * pixels);
      const double mean = group.mean();
      const double deviation = std::sqrt((group.array() - mean).square().mean() + 1e-5);
      for (Index p = 0; p < pixels; ++p) {
        const double normal = (x.values[c * pixels + p] - mean) / deviation;
        y.values[c * pixels + p] = silu(weights.at(name + "_gain")(c, 0) * normal + weights.at(name + "_shift")(c, 0));
      }
    }
    return y;
  }

  [[nodiscard]] Maps block(const std::string& name, const Maps& x, const Vector& tau) const {
    Maps h = convolve(name + "_conv1", norm_silu(name + "_norm1", x));
    const Vector shift = weights.at(name + "_time_weight") * tau;
    for (Index c = 0; c < h.channels; ++c) {
      h.values.segment(c * h.side * h.side, h.side * h.side).array() += shift[c];
    }
    Maps y = convolve(name + "_conv2", norm_silu(name + "_norm2", h));
    y.values += weights.contains(name + "_skip_weight") ? convolve(name + "_skip", x).values : x.values;
    return y;
  }

  ImageLayout image_;
};

}  // namespace onmanifold
