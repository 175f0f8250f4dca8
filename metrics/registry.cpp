// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "metrics/units.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double log_two = 0.69314718055994530942;

MetricInfo info(Direction direction, double lowest, double highest, const char* unit, std::vector<Need> needs,
                const char* definition) {
  return {.direction = direction,
          .unit = unit,
          .lowest = lowest,
          .highest = highest,
          .needs = std::move(needs),
          .samples = SampleKind::projected,
          .constraint = false,
          .discrepancy = false,
          .definition = definition};
}

/// Papers write it so.
MetricInfo written(const char* symbol, MetricInfo info) {
  info.symbol = symbol;
  return info;
}

/// It looks at what a method gave, or not at samples at all.
MetricInfo on_raw(MetricInfo info) {
  info.samples = SampleKind::raw;
  return info;
}

/// It measures how far two distributions are apart.
MetricInfo discrepancy(MetricInfo info) {
  info.discrepancy = true;
  return info;
}

/// It asks how well samples keep to M.
MetricInfo constraint(MetricInfo info) {
  info.constraint = true;
  return on_raw(std::move(info));
}

}  // namespace

const MetricRegistry& metric_registry() {
  static const MetricRegistry registry = [] {
    MetricRegistry metrics("metric");
    metrics.add("tvd", "total variation distance of histograms, against exact masses where known", make_tvd,
                written("TVD", discrepancy(info(Direction::lower, 0, 1, "", {Need::partition},
                                                "1/2 sum |p_i - q_i| over the cells of the partition"))));
    metrics.add(
        "tvd_corrected", "tvd with its null value subtracted in quadrature, sign kept", make_tvd_corrected,
        discrepancy(info(Direction::lower, -1, 1, "", {Need::partition}, "sign(u) sqrt|u|, u = tvd^2 - null^2")));
    metrics.add(
        "js_divergence", "Jensen-Shannon divergence of histograms in nats", make_js_divergence,
        written("JSD", discrepancy(info(Direction::lower, 0, log_two, "nats", {Need::partition},
                                        "KL(p, m)/2 + KL(q, m)/2, m = (p + q)/2, over the cells of the partition"))));
    metrics.add("js_distance", "square root of js_divergence", make_js_distance,
                discrepancy(info(Direction::lower, 0, std::sqrt(log_two), "sqrt(nats)", {Need::partition},
                                 "sqrt(js_divergence)")));
    metrics.add(
        "coverage", "share of reference points whose k-NN ball holds a sample (PRDC)", make_coverage,
        written("Coverage", info(Direction::higher, 0, 1, "", {},
                                 "share of reference points with a sample in the ball to their k-th neighbour")));
    metrics.add(
        "density", "mean number of k-NN balls of the reference around a sample, over k", make_density,
        written("Density", info(Direction::target, 0, infinity, "", {},
                                "mean number of k-th neighbour balls of the reference that hold a sample, over k")));
    metrics.add("precision", "share of samples inside some k-NN ball of the reference", make_precision,
                written("Precision", info(Direction::higher, 0, 1, "", {},
                                          "share of samples in the k-th neighbour ball of some reference point")));
    metrics.add("recall", "share of reference points inside some k-NN ball of the samples", make_recall,
                written("Recall", info(Direction::higher, 0, 1, "", {},
                                       "share of reference points in the k-th neighbour ball of some sample")));
    metrics.add("cov_match", "share of reference points that are the nearest one of some sample", make_cov_match,
                written("COV", info(Direction::higher, 0, 1, "", {},
                                    "share of reference points that are the nearest one of some sample")));
    metrics.add("mmd_min", "mean squared distance of reference points to the nearest sample", make_mmd_min,
                written("MMD", info(Direction::lower, 0, infinity, "length^2", {},
                                    "mean over reference points of the squared distance to the nearest sample")));
    metrics.add("mmd_min_gen", "mean squared distance of samples to the nearest reference point", make_mmd_min_gen,
                info(Direction::lower, 0, infinity, "length^2", {},
                     "mean over samples of the squared distance to the nearest reference point"));
    metrics.add("chamfer", "mmd_min + mmd_min_gen", make_chamfer,
                written("CD", info(Direction::lower, 0, infinity, "length^2", {}, "mmd_min + mmd_min_gen")));
    metrics.add(
        "one_nna", "leave-one-out 1-NN accuracy on the pooled set", make_one_nna,
        written("1-NNA",
                info(Direction::target, 0, 1, "", {},
                     "accuracy of leave-one-out 1-NN on the pooled set; 1/2 where the sets cannot be told apart")));
    metrics.add("mmd2_rbf_biased", "squared MMD with Gaussian kernels, V-statistic", make_mmd2_rbf_biased,
                written("MMD² (biased)",
                        discrepancy(info(Direction::lower, 0, infinity, "", {},
                                         "mean k(x, x') + mean k(y, y') - 2 mean k(x, y), all pairs, k Gaussian"))));
    metrics.add(
        "mmd2_rbf_unbiased", "squared MMD with Gaussian kernels, without diagonals", make_mmd2_rbf_unbiased,
        written("MMD²",
                discrepancy(info(Direction::lower, -infinity, infinity, "", {},
                                 "mean k(x, x') + mean k(y, y') - 2 mean k(x, y), no point with itself, k Gaussian"))));
    metrics.add("kid", "unbiased squared MMD with the cubic polynomial kernel", make_kid,
                discrepancy(info(Direction::lower, -infinity, infinity, "", {},
                                 "unbiased squared MMD with k(x, y) = (x.y/D + 1)^3")));
    metrics.add(
        "energy", "energy distance, squared form, V-statistic", make_energy,
        written("Energy distance", discrepancy(info(Direction::lower, 0, infinity, "length", {},
                                                    "2 mean |x - y| - mean |x - x'| - mean |y - y'|, all pairs"))));
    metrics.add("energy_u", "energy distance without diagonals", make_energy_u,
                discrepancy(info(Direction::lower, -infinity, infinity, "length", {},
                                 "2 mean |x - y| - mean |x - x'| - mean |y - y'|, no point with itself")));
    metrics.add("fd", "Frechet distance of fitted Gaussians", make_fd,
                written("FD", discrepancy(info(Direction::lower, 0, infinity, "length^2", {},
                                               "|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2) of means and covariances"))));
    metrics.add("fid_lenet", "fd of the penultimate layer of a classifier trained on the task's images", make_fid_lenet,
                written("FID", discrepancy(info(Direction::lower, 0, infinity, "", {Need::images, Need::features},
                                                "fd of the penultimate layer of a classifier of the task's images"))));
    metrics.add("fd_inf", "fd extrapolated to infinitely many samples", make_fd_inf,
                discrepancy(info(Direction::lower, -infinity, infinity, "length^2", {},
                                 "intercept of fd against 1/n over growing subsets")));
    metrics.add(
        "c2st", "accuracy of a classifier that tells samples from the reference", make_c2st,
        written("C2ST",
                info(Direction::target, 0, 1, "", {},
                     "held-out accuracy of a classifier of samples against reference; 1/2 where it cannot tell")));
    metrics.add("rmsd_nearest", "mean RMSD of conformations to the nearest reference, superposed", make_rmsd_nearest,
                info(Direction::lower, 0, infinity, "length", {},
                     "mean over samples of the smallest RMSD to a reference conformation after superposition"));
    metrics.add(
        "rmsd_pairwise", "mean RMSD between samples, superposed: diversity", make_rmsd_pairwise,
        info(Direction::target, 0, infinity, "length", {}, "mean RMSD of pairs of samples after superposition"));
    metrics.add("rmsd_cross", "mean RMSD between samples and reference, superposed", make_rmsd_cross,
                info(Direction::target, 0, infinity, "length", {},
                     "mean RMSD of samples to reference conformations after superposition"));
    metrics.add("bond_length_error", "mean error of bond lengths of backbones", make_bond_length_error,
                info(Direction::lower, 0, infinity, "Å", {Need::manifold},
                     "mean |length - ideal length| over the bonds of a backbone"));
    metrics.add("bond_length_error_max", "largest error of a bond length of backbones", make_bond_length_error_max,
                info(Direction::lower, 0, infinity, "Å", {Need::manifold},
                     "largest |length - ideal length| over the bonds of a backbone"));
    metrics.add("bond_angle_error", "mean error of bond angles of backbones", make_bond_angle_error,
                info(Direction::lower, 0, 180, "degrees", {Need::manifold},
                     "mean |angle - ideal angle| over the angles of a backbone"));
    metrics.add("bond_angle_error_max", "largest error of a bond angle of backbones", make_bond_angle_error_max,
                info(Direction::lower, 0, 180, "degrees", {Need::manifold},
                     "largest |angle - ideal angle| over the angles of a backbone"));
    metrics.add("radius_of_gyration_w1", "W1 between the radii of gyration of backbones", make_radius_of_gyration_w1,
                discrepancy(info(Direction::lower, 0, infinity, "Å", {Need::manifold},
                                 "W1 between the radii of gyration of samples and reference")));
    metrics.add("ramachandran_tvd", "tvd of the (phi, psi) of all inner residues of backbones", make_ramachandran_tvd,
                discrepancy(info(Direction::lower, 0, 1, "", {Need::manifold},
                                 "1/2 sum |p_i - q_i| over cells of (phi, psi) of all inner residues")));
    metrics.add("nll", "minus the mean stored log-density of the reference", make_nll,
                written("NLL", on_raw(info(Direction::lower, -infinity, infinity, "nats", {Need::density},
                                           "minus the mean log-density that the model gave to the reference points"))));
    metrics.add("score_mse", "scaled squared error of a model's score where the exact one is known", make_score_mse,
                on_raw(info(Direction::lower, 0, infinity, "", {Need::score, Need::diffused_score},
                            "mean over noise levels of sigma^2 E|s - s*|^2 / D")));
    metrics.add("ks", "Kolmogorov-Smirnov distance of one coordinate", make_ks,
                discrepancy(info(Direction::lower, 0, 1, "", {},
                                 "largest |F(t) - G(t)| of the distribution functions of one coordinate")));
    metrics.add("sliced_w2", "root of the mean squared W2 of projections on lines", make_sliced_w2,
                written("SW₂", discrepancy(info(Direction::lower, 0, infinity, "length", {},
                                                "root of the mean of W2^2 of projections on lines"))));
    metrics.add("w1", "exact 1-Wasserstein distance", make_w1,
                written("W₁", discrepancy(info(Direction::lower, 0, infinity, "length", {},
                                               "least mean distance over all matchings of samples and reference"))));
    metrics.add("w2", "exact 2-Wasserstein distance, the root", make_w2,
                written("W₂", discrepancy(info(Direction::lower, 0, infinity, "length", {},
                                               "root of the least mean squared distance over all matchings"))));
    metrics.add("w2_sq", "square of w2", make_w2_sq,
                written("W₂²", discrepancy(info(Direction::lower, 0, infinity, "length^2", {}, "w2 squared"))));
    metrics.add("sinkhorn_div", "entropic transport cost with its bias removed, entropy term included",
                make_sinkhorn_div,
                discrepancy(info(Direction::lower, -infinity, infinity, "length^2", {},
                                 "OT_eps(x, y) - OT_eps(x, x)/2 - OT_eps(y, y)/2, entropy term included")));
    metrics.add("sinkhorn_cost_div", "the same from the transport costs alone", make_sinkhorn_cost_div,
                discrepancy(info(Direction::lower, -infinity, infinity, "length^2", {},
                                 "the same of the transport costs of the entropic plans")));
    metrics.add("train_copy_rate", "share of samples nearer to a training point than the closest p of true draws",
                make_train_copy_rate,
                on_raw(info(Direction::target, 0, 1, "", {Need::training, Need::sampler},
                            "share of samples nearer to a training point than the p-quantile of fresh draws")));
    metrics.add("constraint_mean", "mean of |h| over columns and components", make_constraint_mean,
                constraint(info(Direction::lower, 0, infinity, "length", {Need::manifold},
                                "mean |h_i(x)| over samples and components of the residual")));
    metrics.add("constraint_max", "largest |h| over columns and components", make_constraint_max,
                constraint(info(Direction::lower, 0, infinity, "length", {Need::manifold},
                                "largest |h_i(x)| over samples and components of the residual")));
    metrics.add(
        "violation_rate", "share of columns with |h| above tau", make_violation_rate,
        constraint(info(Direction::lower, 0, 1, "", {Need::manifold}, "share of samples with some |h_i(x)| > tau")));
    metrics.add(
        "negative_pixel_rate", "mean share of coordinates below -tau", make_negative_pixel_rate,
        constraint(info(Direction::lower, 0, 1, "", {}, "mean over samples of the share of coordinates below -tau")));
    metrics.add("negative_pixel_mass", "mean share of the absolute total that is negative", make_negative_pixel_mass,
                constraint(info(Direction::lower, 0, 1, "", {}, "mean over samples of sum max(-x_i, 0) / sum |x_i|")));
    metrics.add("projection_distance", "mean distance to the manifold", make_projection_distance,
                constraint(info(Direction::lower, 0, infinity, "length", {Need::manifold}, "mean |x - project(x)|")));
    metrics.add("projection_distance_rms", "root mean squared distance to the manifold", make_projection_distance_rms,
                constraint(info(Direction::lower, 0, infinity, "length", {Need::manifold},
                                "root of the mean of |x - project(x)|^2")));
    metrics.add(
        "projection_distance_max", "largest distance to the manifold", make_projection_distance_max,
        constraint(info(Direction::lower, 0, infinity, "length", {Need::manifold}, "largest |x - project(x)|")));
    metrics.add("projection_fail_rate", "share of columns whose projection failed", make_projection_fail_rate,
                constraint(info(Direction::lower, 0, 1, "", {Need::manifold},
                                "share of samples whose projection did not converge")));
    return metrics;
  }();
  return registry;
}

std::vector<MetricSpec> parse_metric_list(std::string_view list) {
  return parse_spec_list(list, {.kind = "metric", .is_text = nullptr, .takes_rest = nullptr});
}

std::unique_ptr<Metric> make_metric(const MetricSpec& spec) {
  const auto& entry = metric_registry().get(spec.name);
  Settings settings(spec.settings, fmt::format("metric {}", spec.name));
  std::unique_ptr<Metric> metric = entry.factory(settings);
  settings.finish();
  return metric;
}

}  // namespace onmanifold
