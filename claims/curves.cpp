// SPDX-License-Identifier: Apache-2.0
#include "claims/curves.hpp"

#include <cmath>

namespace onmanifold {

CurveBand band_over_seeds(const std::string& label, const std::map<int, Vector>& x, const std::map<int, Vector>& y,
                          bool log_y) {
  CurveBand band;
  band.label = label;
  std::vector<const Vector*> curves;
  for (const auto& [seed, values] : y) {
    const auto place = x.find(seed);
    if (place == x.end() || place->second.size() != values.size()) continue;
    const Vector& grid = place->second;
    if (band.x.size() == 0) band.x = grid;
    const bool same =
        grid.size() == band.x.size() && ((grid - band.x).array().abs() <= 1e-6 * band.x.array().abs()).all();
    if (same) curves.push_back(&values);
  }
  const Index n = band.x.size();
  band.mean = Vector::Constant(n, MetricRecord::unknown);
  band.low = band.mean;
  band.high = band.mean;
  for (Index i = 0; i < n; ++i) {
    std::vector<double> finite;
    for (const Vector* curve : curves) {
      const double value = (*curve)[i];
      if (std::isfinite(value) && (!log_y || value > 0)) finite.push_back(log_y ? std::log(value) : value);
    }
    if (finite.empty()) continue;
    const Eigen::Map<const Vector> values(finite.data(), static_cast<Index>(finite.size()));
    const auto back = [&](double value) { return log_y ? std::exp(value) : value; };
    band.mean[i] = back(mean(values));
    if (finite.size() < 2) continue;
    const Interval interval = t_interval(values);
    band.low[i] = back(interval.low);
    band.high[i] = back(interval.high);
  }
  return band;
}

void add_band(CurveFigure& figure, CurveBand band, bool reference) {
  if (band.x.size() == 0) return;
  band.reference = reference;
  figure.bands.push_back(std::move(band));
}

std::vector<CurveFigure> figure_of(CurveFigure figure, const ResultSet& results,
                                   const std::vector<CurveSource>& sources) {
  for (const CurveSource& source : sources) {
    const TaskResult* task = find_task(results, source.task);
    if (task == nullptr) continue;
    const auto series = [&](const std::string& name) {
      return diagnostic_series(*task, source.configuration.method, source.configuration.lift, source.diagnostic, name);
    };
    CurveBand band = band_over_seeds(source.label, series(source.x), series(source.y), figure.log_y);
    band.group = source.group;
    add_band(figure, std::move(band), source.reference);
  }
  if (figure.bands.empty()) return {};
  return {std::move(figure)};
}

}  // namespace onmanifold
