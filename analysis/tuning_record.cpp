// SPDX-License-Identifier: Apache-2.0
#include "analysis/tuning_record.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "results/result_set.hpp"

namespace onmanifold {
namespace {

std::vector<double> numbers_at(const Value& table, std::string_view key) {
  const Value* found = find_value(table, key);
  const auto* array = found == nullptr ? nullptr : found->get_if<Value::Array>();
  std::vector<double> result;
  if (array == nullptr) return result;
  for (const Value& item : *array) result.push_back(as_number(item));
  return result;
}

}  // namespace

std::string TuningRecord::text() const {
  return fmt::format("tuned: {} trials × {} seeds each", trials, replicates);
}

std::optional<TuningRecord> tuning_record(const Value& details) {
  const Value* found = find_value(details, "tuning");
  if (found == nullptr || found->get_if<Value::Table>() == nullptr) return std::nullopt;
  TuningRecord record;
  record.rates = numbers_at(*found, "learning_rates");
  record.trials = static_cast<int>(record.rates.size());
  const double replicates = find_number(*found, "replicates");
  record.replicates = std::isfinite(replicates) ? static_cast<int>(replicates) : 0;
  const Value* rows = find_value(*found, "configurations");
  const auto* array = rows == nullptr ? nullptr : rows->get_if<Value::Array>();
  if (array == nullptr) return record;
  for (const Value& row : *array) {
    TuningCurve curve{.method = find_text(row, "method"),
                      .lift = find_text(row, "lift"),
                      .task = find_text(row, "task"),
                      .rate = find_number(row, "learning_rate"),
                      .mean = numbers_at(row, "mean"),
                      .error = numbers_at(row, "error")};
    if (curve.mean.size() != record.rates.size() || curve.error.size() != record.rates.size()) continue;
    record.metric = find_text(row, "metric");
    record.curves.push_back(std::move(curve));
  }
  return record;
}

}  // namespace onmanifold
