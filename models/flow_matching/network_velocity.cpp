// SPDX-License-Identifier: Apache-2.0
#include "models/flow_matching/network_velocity.hpp"

#include "core/error.hpp"
#include "models/networks/input_tangents.hpp"
#include "models/networks/time_embedding.hpp"

namespace onmanifold {

struct NetworkVelocity::Memory {
  Memory(const Network& network, Index times)
      : table(time_embedding(times)),
        scratch(network.make_scratch(velocity_block)),
        in(network.data_size(), velocity_block),
        out(network.data_size(), velocity_block) {}
  Eigen::MatrixXf table;
  std::unique_ptr<Network::Scratch> scratch;
  std::unique_ptr<InputTangents> tangents;  // made when first a trace is asked for
  Eigen::MatrixXf in;
  Eigen::MatrixXf out;
};

NetworkVelocity::NetworkVelocity(const Network& network, const Eigen::VectorXf& parameters, Index times)
    : network_(network), parameters_(parameters), memory_(std::make_shared<Memory>(network, times)) {}

void NetworkVelocity::evaluate(const Points& x, Index i, Points& y) const {
  Memory& m = *memory_;
  const Index n = x.cols();
  m.in.leftCols(n) = x.cast<float>();
  network_.evaluate(parameters_, m.in, n, m.table.col(i), *m.scratch, m.out);
  y = m.out.leftCols(n).cast<double>();
}

void NetworkVelocity::evaluate(const Points& x, Index i, Points& y, const Points& vectors, Index count,
                               Vector& trace) const {
  Memory& m = *memory_;
  const Index n = x.cols();
  if (m.tangents == nullptr) {
    if (!has_traces(network_)) throw InvalidInput("velocity: the network has no derivatives in its input");
    m.tangents = std::make_unique<InputTangents>(network_, parameters_);
  }
  const Eigen::MatrixXf directions = vectors.cast<float>();
  Eigen::MatrixXf out;
  Eigen::MatrixXf products;
  m.tangents->evaluate(x.cast<float>(), m.table.col(i), directions, count, out, products);
  y = out.cast<double>();
  trace.resize(n);
  for (Index c = 0; c < n; ++c) {
    trace[c] = static_cast<double>(
        directions.middleCols(count * c, count).cwiseProduct(products.middleCols(count * c, count)).sum());
  }
}

bool NetworkVelocity::has_traces(const Network& network) {
  return InputTangents::has(network);
}

}  // namespace onmanifold
