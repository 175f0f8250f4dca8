// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every task reads from its settings, with the defaults that all tasks share.

#include <string>
#include <string_view>

#include "datasets/task.hpp"

namespace onmanifold {

/// The metrics of every task, in the notation of --metrics. The kernel bandwidth is \p data_std, the standard
/// deviation of the law (root of the mean variance over the coordinates), rounded to two digits: fixed by the
/// task, never by somebody's samples.
[[nodiscard]] std::string default_metrics(double data_std);

/// Reads "metrics" and "s_min" into \p task, whose other fields are set. \p data_std as for default_metrics.
void read_common_settings(Task& task, Settings& settings, double data_std);

/// Root of the mean squared distance from the mean, over points and coordinates of D×N; sums in a fixed order.
[[nodiscard]] double coordinate_deviation(const PointsRef& points);
/// SHA-256, hexadecimal, of a text with every number that fixes a law, in shortest round-trip notation.
[[nodiscard]] std::string hash_of_law(std::string_view law);

// The factories of the registry, a file a family.
[[nodiscard]] Task make_plane_gmm9(Settings& settings);
[[nodiscard]] Task make_plane_smiley(Settings& settings);
[[nodiscard]] Task make_sphere_vmf6(Settings& settings);
[[nodiscard]] Task make_sphere_vmf2(Settings& settings);
[[nodiscard]] Task make_bunny_eigen(Settings& settings);
[[nodiscard]] Task make_bunny_eigen10(Settings& settings);
[[nodiscard]] Task make_bunny_eigen50(Settings& settings);
[[nodiscard]] Task make_bunny_eigen100(Settings& settings);
[[nodiscard]] Task make_elephant_eigen(Settings& settings);
[[nodiscard]] Task make_mesh_eigen(Settings& settings);
[[nodiscard]] Task make_backbone_8(Settings& settings);
[[nodiscard]] Task make_backbone_16(Settings& settings);
[[nodiscard]] Task make_backbone_synthetic(Settings& settings);
[[nodiscard]] Task make_so3_mixture16(Settings& settings);
[[nodiscard]] Task make_so3_mixture32(Settings& settings);
[[nodiscard]] Task make_so3_mixture64(Settings& settings);
[[nodiscard]] Task make_so3_fisher(Settings& settings);
[[nodiscard]] Task make_so3_frames(Settings& settings);
[[nodiscard]] Task make_torus_vm(Settings& settings);
[[nodiscard]] Task make_circle_vm(Settings& settings);
[[nodiscard]] Task make_torus_ramachandran(Settings& settings);
[[nodiscard]] Task make_finite16(Settings& settings);
[[nodiscard]] Task make_two_points(Settings& settings);
[[nodiscard]] Task make_discrete_cube(Settings& settings);
[[nodiscard]] Task make_discrete_tokens(Settings& settings);
[[nodiscard]] Task make_sphere_in_16d(Settings& settings);
[[nodiscard]] Task make_circle_in_16d(Settings& settings);
[[nodiscard]] Task make_linear_64d(Settings& settings);
[[nodiscard]] Task make_ellipsoid(Settings& settings);
[[nodiscard]] Task make_sphere_sweep(Settings& settings);
[[nodiscard]] Task make_earth_volcano(Settings& settings);
[[nodiscard]] Task make_earth_earthquake(Settings& settings);
[[nodiscard]] Task make_earth_flood(Settings& settings);
[[nodiscard]] Task make_earth_fire(Settings& settings);
[[nodiscard]] Task make_flux_mnist(Settings& settings);
[[nodiscard]] Task make_flux_mnist14(Settings& settings);

}  // namespace onmanifold
