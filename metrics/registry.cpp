// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.hpp"

#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "metrics/backbone_chains.hpp"
#include "metrics/c2st.hpp"
#include "metrics/constraint.hpp"
#include "metrics/energy.hpp"
#include "metrics/frechet.hpp"
#include "metrics/histogram.hpp"
#include "metrics/kabsch.hpp"
#include "metrics/kid.hpp"
#include "metrics/likelihood.hpp"
#include "metrics/matching.hpp"
#include "metrics/mmd.hpp"
#include "metrics/negative_values.hpp"
#include "metrics/one_dimensional.hpp"
#include "metrics/prdc.hpp"
#include "metrics/projection_distance.hpp"
#include "metrics/score_mse.hpp"
#include "metrics/sinkhorn.hpp"
#include "metrics/train_copy_rate.hpp"
#include "metrics/transport.hpp"

namespace onmanifold {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// Splits at separators outside parentheses and double quotes.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (--depth < 0) throw InvalidInput(fmt::format("metric list '{}': unmatched ')'", text));
    } else if (c == separator && depth == 0) {
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  if (depth != 0) throw InvalidInput(fmt::format("metric list '{}': unmatched '('", text));
  if (quoted) throw InvalidInput(fmt::format("metric list '{}': unmatched '\"'", text));
  parts.push_back(text.substr(start));
  return parts;
}

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::islower(static_cast<unsigned char>(c)) == 0 && std::isdigit(static_cast<unsigned char>(c)) == 0 &&
        c != '_') {
      return false;
    }
  }
  return true;
}

Value parse_setting(std::string_view text, std::string_view metric) {
  if (text == "true") return true;
  if (text == "false") return false;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, integer); error == std::errc() && stop == end) {
    return integer;
  }
  double number = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, number); error == std::errc() && stop == end) {
    if (std::isfinite(number)) return number;
    throw InvalidInput(fmt::format("metric '{}': '{}' is not a finite number", metric, text));
  }
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return std::string(text.substr(1, text.size() - 2));
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
        std::string_view("_-./:~+@").find(c) == std::string_view::npos) {
      throw InvalidInput(
          fmt::format("{}: cannot read the value '{}' (text with other signs needs double quotes)", metric, text));
    }
  }
  return std::string(text);
}

}  // namespace

const Registry<MetricFactory>& metric_registry() {
  static const Registry<MetricFactory> registry = [] {
    Registry<MetricFactory> metrics("metric");
    metrics.add("tvd", "total variation distance of histograms, against exact masses where known", make_tvd);
    metrics.add("tvd_corrected", "tvd with its null value subtracted in quadrature, sign kept", make_tvd_corrected);
    metrics.add("js_divergence", "Jensen-Shannon divergence of histograms in nats", make_js_divergence);
    metrics.add("js_distance", "square root of js_divergence", make_js_distance);
    metrics.add("coverage", "share of reference points whose k-NN ball holds a sample (PRDC)", make_coverage);
    metrics.add("density", "mean number of k-NN balls of the reference around a sample, over k", make_density);
    metrics.add("precision", "share of samples inside some k-NN ball of the reference", make_precision);
    metrics.add("recall", "share of reference points inside some k-NN ball of the samples", make_recall);
    metrics.add("cov_match", "share of reference points that are the nearest one of some sample", make_cov_match);
    metrics.add("mmd_min", "mean squared distance of reference points to the nearest sample", make_mmd_min);
    metrics.add("mmd_min_gen", "mean squared distance of samples to the nearest reference point", make_mmd_min_gen);
    metrics.add("chamfer", "mmd_min + mmd_min_gen", make_chamfer);
    metrics.add("one_nna", "leave-one-out 1-NN accuracy on the pooled set", make_one_nna);
    metrics.add("mmd2_rbf_biased", "squared MMD with Gaussian kernels, V-statistic", make_mmd2_rbf_biased);
    metrics.add("mmd2_rbf_unbiased", "squared MMD with Gaussian kernels, without diagonals", make_mmd2_rbf_unbiased);
    metrics.add("kid", "unbiased squared MMD with the cubic polynomial kernel", make_kid);
    metrics.add("energy", "energy distance, squared form, V-statistic", make_energy);
    metrics.add("energy_u", "energy distance without diagonals", make_energy_u);
    metrics.add("fd", "Frechet distance of fitted Gaussians", make_fd);
    metrics.add("fid_lenet", "fd of the penultimate layer of a classifier trained on the task's images",
                make_fid_lenet);
    metrics.add("fd_inf", "fd extrapolated to infinitely many samples", make_fd_inf);
    metrics.add("c2st", "accuracy of a classifier that tells samples from the reference", make_c2st);
    metrics.add("rmsd_nearest", "mean RMSD of conformations to the nearest reference, superposed", make_rmsd_nearest);
    metrics.add("rmsd_pairwise", "mean RMSD between samples, superposed: diversity", make_rmsd_pairwise);
    metrics.add("rmsd_cross", "mean RMSD between samples and reference, superposed", make_rmsd_cross);
    metrics.add("bond_length_error", "mean error of bond lengths of backbones", make_bond_length_error);
    metrics.add("bond_length_error_max", "largest error of a bond length of backbones", make_bond_length_error_max);
    metrics.add("bond_angle_error", "mean error of bond angles of backbones", make_bond_angle_error);
    metrics.add("bond_angle_error_max", "largest error of a bond angle of backbones", make_bond_angle_error_max);
    metrics.add("radius_of_gyration_w1", "W1 between the radii of gyration of backbones", make_radius_of_gyration_w1);
    metrics.add("ramachandran_tvd", "tvd of the (phi, psi) of all inner residues of backbones", make_ramachandran_tvd);
    metrics.add("nll", "minus the mean stored log-density of the reference", make_nll);
    metrics.add("score_mse", "scaled squared error of a model's score where the exact one is known", make_score_mse);
    metrics.add("ks", "Kolmogorov-Smirnov distance of one coordinate", make_ks);
    metrics.add("sliced_w2", "root of the mean squared W2 of projections on lines", make_sliced_w2);
    metrics.add("w1", "exact 1-Wasserstein distance", make_w1);
    metrics.add("w2", "exact 2-Wasserstein distance, the root", make_w2);
    metrics.add("w2_sq", "square of w2", make_w2_sq);
    metrics.add("sinkhorn_div", "entropic transport cost with its bias removed, entropy term included",
                make_sinkhorn_div);
    metrics.add("sinkhorn_cost_div", "the same from the transport costs alone", make_sinkhorn_cost_div);
    metrics.add("train_copy_rate", "share of samples nearer to a training point than the closest p of true draws",
                make_train_copy_rate);
    metrics.add("constraint_mean", "mean of |h| over columns and components", make_constraint_mean);
    metrics.add("constraint_max", "largest |h| over columns and components", make_constraint_max);
    metrics.add("violation_rate", "share of columns with |h| above tau", make_violation_rate);
    metrics.add("negative_pixel_rate", "mean share of coordinates below -tau", make_negative_pixel_rate);
    metrics.add("negative_pixel_mass", "mean share of the absolute total that is negative", make_negative_pixel_mass);
    metrics.add("projection_distance", "mean distance to the manifold", make_projection_distance);
    metrics.add("projection_distance_rms", "root mean squared distance to the manifold", make_projection_distance_rms);
    metrics.add("projection_distance_max", "largest distance to the manifold", make_projection_distance_max);
    metrics.add("projection_fail_rate", "share of columns whose projection failed", make_projection_fail_rate);
    return metrics;
  }();
  return registry;
}

std::vector<MetricSpec> parse_metric_list(std::string_view list) {
  std::vector<MetricSpec> specs;
  for (std::string_view part : split(list, ',')) {
    part = trim(part);
    if (part.empty()) throw InvalidInput(fmt::format("metric list '{}': empty entry", list));
    MetricSpec spec;
    const std::size_t open = part.find('(');
    const std::string_view name = trim(part.substr(0, open));
    if (!is_name(name)) throw InvalidInput(fmt::format("metric list: cannot read '{}'", part));
    spec.name = name;
    if (open != std::string_view::npos) {
      if (part.back() != ')') throw InvalidInput(fmt::format("metric list: cannot read '{}'", part));
      const std::string_view inside = trim(part.substr(open + 1, part.size() - open - 2));
      if (!inside.empty()) {
        for (std::string_view setting : split(inside, ',')) {
          setting = trim(setting);
          const std::size_t equals = setting.find('=');
          const std::string_view key = trim(setting.substr(0, equals));
          if (equals == std::string_view::npos || !is_name(key)) {
            throw InvalidInput(fmt::format("metric '{}': expected key=value, got '{}'", name, setting));
          }
          const std::string_view value = trim(setting.substr(equals + 1));
          if (value.empty()) throw InvalidInput(fmt::format("metric '{}': no value for '{}'", name, key));
          if (!spec.settings.emplace(key, parse_setting(value, name)).second) {
            throw InvalidInput(fmt::format("metric '{}': '{}' is given twice", name, key));
          }
        }
      }
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::unique_ptr<Metric> make_metric(const MetricSpec& spec) {
  const auto& entry = metric_registry().get(spec.name);
  Settings settings(spec.settings, fmt::format("metric {}", spec.name));
  std::unique_ptr<Metric> metric = entry.factory(settings);
  settings.finish();
  return metric;
}

}  // namespace onmanifold
