// SPDX-License-Identifier: Apache-2.0
#include "suite/tuned_settings.hpp"

#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/settings.hpp"
#include "suite/toml_file.hpp"

namespace onmanifold {
namespace {

/// Takes the arrays of numbers out of \p table, which Settings does not read.
std::vector<double> numbers(const Value& table, const std::string& key, std::size_t size, const std::string& where) {
  const auto* entries = table.get_if<Value::Table>();
  const auto found = entries->find(key);
  const auto* array = found == entries->end() ? nullptr : found->second.get_if<Value::Array>();
  if (array == nullptr || array->empty() || (size > 0 && array->size() != size)) {
    throw InvalidInput(fmt::format("{}: line {}: {} must be an array of {} numbers", where,
                                   found == entries->end() ? table.line : found->second.line, key,
                                   size > 0 ? fmt::format("{}", size) : std::string("at least one")));
  }
  std::vector<double> result;
  for (const Value& item : *array) {
    if (const auto* number = item.get_if<double>()) {
      result.push_back(*number);
    } else if (const auto* integer = item.get_if<std::int64_t>()) {
      result.push_back(static_cast<double>(*integer));
    } else {
      throw InvalidInput(
          fmt::format("{}: line {}: {} holds {}, not a number", where, item.line, key, item.type_name()));
    }
  }
  return result;
}

Value without_arrays(const Value& value) {
  Value::Table rest;
  for (const auto& [key, item] : *value.get_if<Value::Table>()) {
    if (item.get_if<Value::Array>() == nullptr) rest.emplace(key, item);
  }
  Value result(std::move(rest));
  result.line = value.line;
  return result;
}

TunedConfiguration parse_configuration(const Value& table, const Tuning& tuning, const std::string& where) {
  if (table.get_if<Value::Table>() == nullptr) {
    throw InvalidInput(fmt::format("{}: line {}: configuration is written [[configuration]]", where, table.line));
  }
  Settings settings(without_arrays(table), where + ": [[configuration]]");
  TunedConfiguration one;
  one.method = settings.required_text("method");
  one.lift = settings.required_text("lift");
  one.family = settings.required_text("family");
  one.task = settings.required_text("task");
  one.metric = settings.required_text("metric");
  one.settings = settings.required_text("settings");
  if (settings.has("learning_rate")) one.learning_rate = settings.number("learning_rate", 1e-3, 1e-12, 1e6);
  settings.finish();
  one.mean = numbers(table, "mean", tuning.rates.size(), where);
  one.error = numbers(table, "error", tuning.rates.size(), where);
  for (const double lost : numbers(table, "lost", tuning.rates.size(), where))
    one.lost.push_back(static_cast<int>(lost));
  return one;
}

Value::Array as_values(const std::vector<double>& numbers) {
  return Value::Array(numbers.begin(), numbers.end());
}

}  // namespace

const TunedConfiguration* Tuning::find(const std::string& method, const std::string& lift,
                                       const std::string& family) const {
  for (const TunedConfiguration& one : configurations) {
    if (one.method == method && one.lift == lift && one.family == family) return &one;
  }
  return nullptr;
}

Value Tuning::record(const std::string& family) const {
  Value::Array rows;
  for (const TunedConfiguration& one : configurations) {
    if (one.family != family) continue;
    rows.push_back(Value::Table{{"method", one.method},
                                {"lift", one.lift},
                                {"task", one.task},
                                {"metric", one.metric},
                                {"learning_rate", one.learning_rate ? Value(*one.learning_rate) : Value()},
                                {"mean", as_values(one.mean)},
                                {"error", as_values(one.error)},
                                {"lost", Value::Array(one.lost.begin(), one.lost.end())}});
  }
  return Value::Table{{"trials", static_cast<std::int64_t>(rates.size())},
                      {"replicates", replicates},
                      {"learning_rates", as_values(rates)},
                      {"configurations", std::move(rows)}};
}

Tuning parse_tuning(const Value& table, const std::string& where) {
  const auto* root = table.get_if<Value::Table>();
  const auto head = root == nullptr ? Value::Table::const_iterator() : root->find("tuning");
  if (root == nullptr || head == root->end() || head->second.get_if<Value::Table>() == nullptr) {
    throw InvalidInput(fmt::format("{}: the table [tuning] is missing: is this a file of onmanifold tune?", where));
  }
  Settings settings(without_arrays(head->second), where + ": [tuning]");
  Tuning tuning;
  tuning.suite = settings.required_text("suite");
  tuning.seed = static_cast<std::uint64_t>(settings.integer("seed", 0, 0));
  tuning.replicates = static_cast<int>(settings.integer("replicates", 1, 1, 1'000'000));
  settings.finish();
  tuning.rates = numbers(head->second, "learning_rates", 0, where);
  const auto rows = root->find("configuration");
  const auto* array = rows == root->end() ? nullptr : rows->second.get_if<Value::Array>();
  if (array == nullptr) throw InvalidInput(fmt::format("{}: no [[configuration]]", where));
  for (const Value& row : *array) tuning.configurations.push_back(parse_configuration(row, tuning, where));
  return tuning;
}

Tuning read_tuning(const std::string& path) {
  return parse_tuning(read_toml_file(path), path);
}

}  // namespace onmanifold
