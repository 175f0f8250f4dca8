// SPDX-License-Identifier: Apache-2.0
#include "models/score_fields.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "models/networks/input_tangents.hpp"
#include "models/networks/time_embedding.hpp"
#include "models/networks/unet.hpp"

namespace onmanifold {
namespace {

constexpr Index block = 512;

/// Answers of a network at one time, and their derivatives along given directions, in double around float.
class NetworkAnswers {
 public:
  NetworkAnswers(const Network& network, const Eigen::VectorXf& parameters, Eigen::MatrixXf table)
      : network_(network),
        parameters_(parameters),
        table_(std::move(table)),
        scratch_(network.make_scratch(block)),
        in_(network.data_size(), block),
        out_(network.data_size(), block) {}

  void evaluate(const Points& x, Index t, Points& y) const {
    y.resize(x.rows(), x.cols());
    for (Index first = 0; first < x.cols(); first += block) {
      const Index n = std::min(block, x.cols() - first);
      in_.leftCols(n) = x.middleCols(first, n).cast<float>();
      network_.evaluate(parameters_, in_, n, table_.col(t), *scratch_, out_);
      y.middleCols(first, n) = out_.leftCols(n).cast<double>();
    }
  }

  void evaluate(const Points& x, Index t, const Points& vectors, Index count, Points& y, Points& products) const {
    const auto* unet = dynamic_cast<const Unet*>(&network_);
    if (unet != nullptr && tangent_scratch_ == nullptr) tangent_scratch_ = unet->make_tangent_scratch();
    if (unet == nullptr && tangents_ == nullptr) tangents_ = std::make_unique<InputTangents>(network_, parameters_);
    y.resize(x.rows(), x.cols());
    products.resize(vectors.rows(), vectors.cols());
    for (Index first = 0; first < x.cols(); first += block) {
      const Index n = std::min(block, x.cols() - first);
      const Eigen::MatrixXf at = x.middleCols(first, n).cast<float>();
      const Eigen::MatrixXf along = vectors.middleCols(count * first, count * n).cast<float>();
      if (unet != nullptr) {
        unet->tangents(parameters_, at, table_.col(t), along, count, *tangent_scratch_, value_, product_);
      } else {
        tangents_->evaluate(at, table_.col(t), along, count, value_, product_);
      }
      y.middleCols(first, n) = value_.cast<double>();
      products.middleCols(count * first, count * n) = product_.cast<double>();
    }
  }

 private:
  const Network& network_;
  const Eigen::VectorXf& parameters_;
  Eigen::MatrixXf table_;
  mutable std::unique_ptr<Network::Scratch> scratch_;
  mutable std::unique_ptr<InputTangents> tangents_;            // made when first asked for
  mutable std::unique_ptr<Network::Scratch> tangent_scratch_;  // the same of a U-Net
  mutable Eigen::MatrixXf in_;
  mutable Eigen::MatrixXf out_;
  mutable Eigen::MatrixXf value_;
  mutable Eigen::MatrixXf product_;
};

class DiffusionScoreField final : public ScoreField {
 public:
  DiffusionScoreField(const Network& network, const Eigen::VectorXf& parameters, const DiffusionObjective& objective,
                      const DiffusionFrame& frame)
      : answers_(network, parameters, time_table(frame.schedule, frame.time_input)),
        objective_(objective),
        frame_(frame),
        dimension_(network.data_size()),
        levels_(frame.schedule.steps()) {
    for (Index k = 0; k < levels_.size(); ++k) levels_[k] = frame.data_level(levels_.size() - k);
  }

  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] const Vector& levels() const override { return levels_; }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    const Index t = levels_.size() - k;
    const Points x = frame_.to_state(y, t);
    Points answer;
    if (count == 0) {
      answers_.evaluate(x, t, answer);
    } else {
      // Along v: answers exactly, and the change of to_epsilon in both its arguments by differences. Directions are of
      // the size of the state's noise, or their step would be lost in x.
      const double size = frame_.schedule.noise(t);
      Points along;
      answers_.evaluate(x, t, size * vectors, count, answer, along);
      constexpr double h = 1e-4;
      const auto epsilon_at = [&](double step) {
        Points where(x.rows(), vectors.cols());
        Points said(x.rows(), vectors.cols());
        // Plain loops: columns are short, and an expression each would cost as much as the network.
        for (Index point = 0; point < x.cols(); ++point) {
          for (Index c = count * point; c < count * (point + 1); ++c) {
            for (Index r = 0; r < x.rows(); ++r) {
              where(r, c) = x(r, point) + step * size * vectors(r, c);
              said(r, c) = answer(r, point) + step * along(r, c);
            }
          }
        }
        objective_.to_epsilon(where, t, said);
        return said;
      };
      result = epsilon_at(h);
      result -= epsilon_at(-h);
      // d x_t = a_t/scale dy, and directions were taken times `size`.
      result *= -frame_.schedule.signal(t) / (2 * h * size * frame_.standardisation.scale * levels_[k]);
    }
    objective_.to_epsilon(x, t, answer);
    score = answer / -levels_[k];
  }

  NetworkAnswers answers_;
  const DiffusionObjective& objective_;
  const DiffusionFrame& frame_;
  Index dimension_;
  Vector levels_;
};

class FlowScoreField final : public ScoreField {
 public:
  FlowScoreField(const Network& network, const Eigen::VectorXf& parameters, const VelocityGrid& grid,
                 const Standardisation& standardisation)
      : answers_(network, parameters, time_embedding(grid.times())),
        grid_(grid),
        standardisation_(standardisation),
        dimension_(network.data_size()),
        levels_(grid.times() - 2) {
    for (Index k = 0; k < levels_.size(); ++k) {
      const double u = grid.position(time_of(k));
      levels_[k] = standardisation.scale * (1 - u) / u;
    }
  }

  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] const Vector& levels() const override { return levels_; }

 private:
  /// Times run from T (u = 0, no level) to 1 (u = 1, none either).
  [[nodiscard]] Index time_of(Index k) const { return grid_.times() - 1 - k; }

  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    const Index i = time_of(k);
    const double u = grid_.position(i);
    const double scale = standardisation_.scale;
    const Points x = u / scale * (y.colwise() - standardisation_.mean);
    const double factor = u / ((1 - u) * scale);
    Points velocity;
    if (count == 0) {
      answers_.evaluate(x, i, velocity);
    } else {
      answers_.evaluate(x, i, vectors, count, velocity, result);
      result = factor * (u / scale) * (u * result - vectors);
    }
    score = factor * (u * velocity - x);
  }

  NetworkAnswers answers_;
  VelocityGrid grid_;
  Standardisation standardisation_;
  Index dimension_;
  Vector levels_;
};

class ClippedScoreField final : public ScoreField {
 public:
  ClippedScoreField(std::unique_ptr<ScoreField> field, Vector least, Vector largest)
      : field_(std::move(field)), least_(std::move(least)), largest_(std::move(largest)) {
    if (least_.size() != dimension() || largest_.size() != dimension() || !(least_.array() <= largest_.array()).all())
      throw InvalidInput("clipped score field: the box does not fit");
  }

  [[nodiscard]] Index dimension() const override { return field_->dimension(); }
  [[nodiscard]] const Vector& levels() const override { return field_->levels(); }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    if (count == 0) {
      score = field_->score(y, k);
    } else {
      field_->products(y, k, vectors, count, score, result);
    }
    const double square = levels()[k] * levels()[k];
    for (Index c = 0; c < y.cols(); ++c) {
      for (Index i = 0; i < y.rows(); ++i) {
        const double estimate = y(i, c) + square * score(i, c);
        const double inside = std::clamp(estimate, least_[i], largest_[i]);
        if (inside == estimate) continue;  // keeps its score to the last bit
        score(i, c) = (inside - y(i, c)) / square;
        for (Index v = count * c; v < count * (c + 1); ++v) result(i, v) = -vectors(i, v) / square;
      }
    }
  }

  std::unique_ptr<ScoreField> field_;
  Vector least_;
  Vector largest_;
};

}  // namespace

std::unique_ptr<ScoreField> make_clipped_score_field(std::unique_ptr<ScoreField> field, Vector least, Vector largest) {
  return std::make_unique<ClippedScoreField>(std::move(field), std::move(least), std::move(largest));
}

std::unique_ptr<ScoreField> make_diffusion_score_field(const Network& network, const Eigen::VectorXf& parameters,
                                                       const DiffusionObjective& objective,
                                                       const DiffusionFrame& frame) {
  return std::make_unique<DiffusionScoreField>(network, parameters, objective, frame);
}

std::unique_ptr<ScoreField> make_flow_score_field(const Network& network, const Eigen::VectorXf& parameters,
                                                  const VelocityGrid& grid, const Standardisation& standardisation) {
  return std::make_unique<FlowScoreField>(network, parameters, grid, standardisation);
}

}  // namespace onmanifold
