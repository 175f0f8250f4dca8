// SPDX-License-Identifier: Apache-2.0
#pragma once
// A JSON-like value: what suite files, configurations and parameters are made of once a parser is done with them.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace onmanifold {

/// null, boolean, integer, number, string, array or table (keys sorted).
class Value {
 public:
  using Array = std::vector<Value>;
  using Table = std::map<std::string, Value>;

  Value() = default;
  Value(bool value) : data_(value) {}                      // NOLINT(google-explicit-constructor): a literal type
  Value(int value) : data_(std::int64_t{value}) {}         // NOLINT
  Value(std::int64_t value) : data_(value) {}              // NOLINT
  Value(double value) : data_(value) {}                    // NOLINT
  Value(const char* value) : data_(std::string(value)) {}  // NOLINT
  Value(std::string value) : data_(std::move(value)) {}    // NOLINT
  Value(Array value) : data_(std::move(value)) {}          // NOLINT
  Value(Table value) : data_(std::move(value)) {}          // NOLINT

  template <class T>
  [[nodiscard]] const T* get_if() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  [[nodiscard]] T* get_if() {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  /// "null", "a boolean", "an integer", … for messages.
  [[nodiscard]] std::string_view type_name() const;

  /// Line of the source file, from 1; 0 where there is none. Not part of equality.
  int line = 0;

  friend bool operator==(const Value& a, const Value& b) { return a.data_ == b.data_; }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table> data_;
};

/// Canonical JSON on one line: sorted keys, shortest round-trip numbers, NaN and infinities as the strings "nan",
/// "inf", "-inf". Equal values give equal text, so the text can be hashed.
[[nodiscard]] std::string to_json(const Value& value);
/// The same, indented by two spaces a level, for people.
[[nodiscard]] std::string to_pretty_json(const Value& value);
/// \throw InvalidInput naming \p where and the position.
[[nodiscard]] Value parse_json(std::string_view text, std::string_view where);

}  // namespace onmanifold
