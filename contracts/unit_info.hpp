// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a registered unit knows about itself. It stands in the registry entry, is written into result files, and is all
// that reports, claims and comparisons know of a method or a metric: nothing is concluded from a name.

#include <limits>
#include <string>
#include <vector>

#include "core/enum_names.hpp"

namespace onmanifold {

/// What a method is in a comparison. Only learners can be best.
enum class MethodRole {
  oracle,    ///< draws the truth
  analytic,  ///< samples with the exact score
  learner,   ///< learns from training points
  control    ///< a baseline that a learner has to beat or must not resemble
};
template <>
struct EnumNames<MethodRole> {
  static constexpr const char* kind = "role";
  static constexpr std::array<EnumName<MethodRole>, 4> names = {{{MethodRole::oracle, "oracle"},
                                                                 {MethodRole::analytic, "analytic"},
                                                                 {MethodRole::learner, "learner"},
                                                                 {MethodRole::control, "control"}}};
};

/// Where in the pipeline a method handles the dimension mismatch. A lift handles it in the data, whatever the method.
enum class Place { nowhere, data, noise, loss, penalty, target, sampling, intrinsic, two_steps };
template <>
struct EnumNames<Place> {
  static constexpr const char* kind = "place";
  static constexpr std::array<EnumName<Place>, 9> names = {{{Place::nowhere, "nowhere"},
                                                            {Place::data, "data"},
                                                            {Place::noise, "noise"},
                                                            {Place::loss, "loss"},
                                                            {Place::penalty, "penalty"},
                                                            {Place::target, "target"},
                                                            {Place::sampling, "sampling"},
                                                            {Place::intrinsic, "intrinsic"},
                                                            {Place::two_steps, "two steps"}}};
};

/// What a method, metric or diagnostic cannot do without.
enum class Need { sampler, density, partition, diffused_score, score, training, manifold, images, features, geodesics };
template <>
struct EnumNames<Need> {
  static constexpr const char* kind = "need";
  static constexpr std::array<EnumName<Need>, 10> names = {{{Need::sampler, "sampler"},
                                                            {Need::density, "density"},
                                                            {Need::partition, "partition"},
                                                            {Need::diffused_score, "diffused score"},
                                                            {Need::score, "score"},
                                                            {Need::training, "training points"},
                                                            {Need::manifold, "manifold"},
                                                            {Need::images, "images"},
                                                            {Need::features, "features"},
                                                            {Need::geodesics, "geodesics"}}};
};

/// What is done to training points before a method sees them: nothing, noise in the normal directions only, or the same
/// noise in all directions.
enum class LiftType { none, normal, isotropic };
template <>
struct EnumNames<LiftType> {
  static constexpr const char* kind = "lift";
  static constexpr std::array<EnumName<LiftType>, 3> names = {
      {{LiftType::none, "none"}, {LiftType::normal, "normal"}, {LiftType::isotropic, "isotropic"}}};
};

/// What a registry entry says of a method.
struct MethodInfo {
  MethodRole role = MethodRole::learner;
  Place place = Place::nowhere;
  std::string varies;  ///< the registered method it is a variation of; empty for a method of its own
  std::vector<Need> needs;
  bool foreign = false;  ///< somebody else's program: the suite states role and place
  bool floor = false;    ///< the control that scores are counted from: it fits mean and covariance only
};

/// What a registry entry says of a diagnostic.
struct DiagnosticInfo {
  std::vector<Need> needs;
};

/// Which values of a metric are good.
enum class Direction { lower, higher, target };
template <>
struct EnumNames<Direction> {
  static constexpr const char* kind = "direction";
  static constexpr std::array<EnumName<Direction>, 3> names = {
      {{Direction::lower, "lower"}, {Direction::higher, "higher"}, {Direction::target, "target"}}};
};

/// The samples a metric was computed on.
enum class SampleKind { raw, projected };
template <>
struct EnumNames<SampleKind> {
  static constexpr const char* kind = "kind of samples";
  static constexpr std::array<EnumName<SampleKind>, 2> names = {
      {{SampleKind::raw, "raw"}, {SampleKind::projected, "projected"}}};
};

/// What a registry entry says of a metric.
struct MetricInfo {
  Direction direction = Direction::lower;
  std::string unit;  ///< "" or e.g. "nats", "length"
  /// Values that the definition allows, both ends included.
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  std::vector<Need> needs;
  SampleKind samples = SampleKind::projected;  ///< those that tables show and gates judge unless asked otherwise
  bool constraint = false;                     ///< asks how well samples keep to M: judged before projection
  /// Least, in expectation over independent samples, where samples and reference have one distribution, so that no
  /// model is far better than the truth. Others have their best values elsewhere: fewer modes raise precision, wider
  /// tails coverage.
  bool discrepancy = false;
  std::string definition;   ///< one formula or sentence
  std::string symbol = "";  ///< as papers write it; empty: its name
};

/// What a suite is for. The numbers of a demonstration are too small to conclude anything from.
enum class SuitePurpose { study, demonstration };
template <>
struct EnumNames<SuitePurpose> {
  static constexpr const char* kind = "purpose";
  static constexpr std::array<EnumName<SuitePurpose>, 2> names = {
      {{SuitePurpose::study, "study"}, {SuitePurpose::demonstration, "demonstration"}}};
};

/// How a cell ended.
enum class CellState { ok, failed, unsupported, timeout, diverged };
template <>
struct EnumNames<CellState> {
  static constexpr const char* kind = "state";
  static constexpr std::array<EnumName<CellState>, 5> names = {{{CellState::ok, "ok"},
                                                                {CellState::failed, "failed"},
                                                                {CellState::unsupported, "unsupported"},
                                                                {CellState::timeout, "timeout"},
                                                                {CellState::diverged, "diverged"}}};
};

}  // namespace onmanifold
