// SPDX-License-Identifier: Apache-2.0
#include "datasets/readers/backbone_fragments.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/shipped_file.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

constexpr const char* file_format = "onmanifold-backbone-fragments-1";

class Links {
 public:
  explicit Links(Index n) : parent_(static_cast<std::size_t>(n)) {
    std::iota(parent_.begin(), parent_.end(), Index{0});
  }
  Index root(Index i) {
    while (at(i) != i) i = at(i) = at(at(i));
    return i;
  }
  // The lower number stays the root, so that the result does not depend on the order of the links.
  void join(Index i, Index j) {
    i = root(i);
    j = root(j);
    if (i != j) at(std::max(i, j)) = std::min(i, j);
  }

 private:
  Index& at(Index i) { return parent_[static_cast<std::size_t>(i)]; }
  std::vector<Index> parent_;
};

/// All sequences in one buffer of N·L bytes. \throw InvalidInput on another length.
std::vector<char> packed_sequences(const BackboneFragments& fragments) {
  std::vector<char> packed;
  packed.reserve(static_cast<std::size_t>(fragments.size() * fragments.residues));
  for (const std::string& sequence : fragments.sequences) {
    if (static_cast<Index>(sequence.size()) != fragments.residues) {
      throw InvalidInput(fmt::format("fragments: sequence '{}' has not {} residues", sequence, fragments.residues));
    }
    packed.insert(packed.end(), sequence.begin(), sequence.end());
  }
  return packed;
}

Index agreement(const char* a, const char* b, Index n) {
  int same = 0;
  for (Index i = 0; i < n; ++i) same += a[i] == b[i] ? 1 : 0;
  return same;
}

void check_sizes(const BackboneFragments& fragments, const std::string& where) {
  const auto n = static_cast<std::size_t>(fragments.size());
  if (fragments.residues < 2 || fragments.coordinates.rows() != 9 * fragments.residues || n == 0 ||
      fragments.structures.size() != n || fragments.chains.size() != n || fragments.first.size() != n ||
      fragments.sequences.size() != n) {
    throw InvalidInput(
        fmt::format("{}: {} fragments of {} residues whose parts differ in size", where, n, fragments.residues));
  }
}

}  // namespace

void split_by_cluster(BackboneFragments& fragments) {
  check_sizes(fragments, "fragments");
  const Index n = fragments.size();
  const Index length = fragments.residues;
  const std::vector<char> sequences = packed_sequences(fragments);
  const auto sequence = [&](Index i) { return &sequences[static_cast<std::size_t>(i * length)]; };
  Links links(n);
  std::map<std::string, Index> seen;
  for (Index i = 0; i < n; ++i) {
    links.join(i, seen.emplace(fragments.structures[static_cast<std::size_t>(i)], i).first->second);
  }
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) {
      if (2 * agreement(sequence(i), sequence(j), length) >= length) links.join(i, j);
    }
  }
  std::map<Index, std::vector<Index>> members;
  for (Index i = 0; i < n; ++i) members[links.root(i)].push_back(i);
  std::vector<const std::vector<Index>*> clusters;
  fragments.clusters.assign(static_cast<std::size_t>(n), 0);
  for (const auto& [root, list] : members) {
    for (const Index i : list) {
      fragments.clusters[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(clusters.size());
    }
    clusters.push_back(&list);
  }
  std::vector<Index> order = Stream(0, "backbone-fragments/splits").permutation(static_cast<Index>(clusters.size()));
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
    return clusters[static_cast<std::size_t>(a)]->size() > clusters[static_cast<std::size_t>(b)]->size();
  });
  std::array<double, 3> lacking = {10.0 / 16, 3.0 / 16, 3.0 / 16};
  for (double& share : lacking) share *= static_cast<double>(n);
  fragments.splits.assign(static_cast<std::size_t>(n), split_train);
  for (const Index c : order) {
    const auto split = std::max_element(lacking.begin(), lacking.end()) - lacking.begin();
    const std::vector<Index>& list = *clusters[static_cast<std::size_t>(c)];
    for (const Index i : list) fragments.splits[static_cast<std::size_t>(i)] = split;
    lacking[static_cast<std::size_t>(split)] -= static_cast<double>(list.size());
  }
}

Index largest_identity_across_splits(const BackboneFragments& fragments) {
  const std::vector<char> sequences = packed_sequences(fragments);
  const Index length = fragments.residues;
  Index largest = 0;
  for (Index i = 0; i < fragments.size(); ++i) {
    for (Index j = 0; j < i; ++j) {
      if (fragments.splits[static_cast<std::size_t>(i)] == fragments.splits[static_cast<std::size_t>(j)]) continue;
      largest = std::max(largest, agreement(&sequences[static_cast<std::size_t>(i * length)],
                                            &sequences[static_cast<std::size_t>(j * length)], length));
    }
  }
  return largest;
}

void write_backbone_fragments(const std::string& path, const BackboneFragments& fragments, double step) {
  check_sizes(fragments, path);
  Eigen::MatrixXi units(fragments.coordinates.rows(), fragments.coordinates.cols());
  for (Index j = 0; j < units.cols(); ++j) {
    for (Index i = 0; i < units.rows(); ++i) {
      const double value = std::round(fragments.coordinates(i, j) / step);
      if (!(std::abs(value) < 2e9)) {
        throw InvalidInput(fmt::format("{}: coordinate {} of fragment {} does not fit", path, i, j));
      }
      units(i, j) = static_cast<int>(value);
    }
  }
  Hdf5Table table;
  table.columns = {{"structure", fragments.structures}, {"chain", fragments.chains},     {"first", fragments.first},
                   {"sequence", fragments.sequences},   {"cluster", fragments.clusters}, {"split", fragments.splits}};
  Hdf5Writer file(path);
  file.set_attribute("/", "format", std::string_view(file_format));
  file.set_attribute("/", "residues", std::int64_t{fragments.residues});
  file.set_attribute("/", "splits", std::string_view("0 train, 1 validation, 2 reference"));
  file.set_attribute("/", "origin", std::string_view(fragments.origin));
  file.set_attribute("/", "licence", std::string_view(fragments.licence));
  file.write_matrix("/coordinates", units);
  file.set_attribute("/coordinates", "unit_angstrom", step);
  file.set_attribute("/coordinates", "order", std::string_view("residue x (N, CA, C) x (x, y, z)"));
  file.write_table("/fragments", table);
  file.commit();
}

BackboneFragments read_backbone_fragments(const std::string& path) {
  const Hdf5Reader file(path);
  if (!file.has_attribute("/", "format") || file.text_attribute("/", "format") != file_format) {
    throw InvalidInput(fmt::format("{}: no set of backbone fragments (made by 'onmanifold fragments')", path));
  }
  BackboneFragments fragments;
  fragments.residues = file.integer_attribute("/", "residues");
  fragments.origin = file.text_attribute("/", "origin");
  fragments.licence = file.text_attribute("/", "licence");
  const Hdf5Table table = file.table("/fragments");
  fragments.structures = table.texts("structure");
  fragments.chains = table.texts("chain");
  fragments.first = table.texts("first");
  fragments.sequences = table.texts("sequence");
  fragments.clusters = table.integers("cluster");
  fragments.splits = table.integers("split");
  const double step = file.number_attribute("/coordinates", "unit_angstrom");
  fragments.coordinates = step * file.matrix("/coordinates", 9 * fragments.residues, static_cast<Index>(table.rows()));
  check_sizes(fragments, path);
  for (const std::int64_t split : fragments.splits) {
    if (split < split_train || split > split_reference) throw InvalidInput(fmt::format("{}: split {}", path, split));
  }
  return fragments;
}

const BackboneFragments& shipped_backbone_fragments() {
  static const BackboneFragments fragments = read_backbone_fragments(shipped_file("datasets/data/backbone-16mers.h5"));
  return fragments;
}

DataSplits fragment_splits(const BackboneFragments& fragments, const Points& points) {
  if (points.cols() != fragments.size() || fragments.splits.size() != static_cast<std::size_t>(fragments.size()))
    throw InvalidInput(fmt::format("{} points of {} fragments", points.cols(), fragments.size()));
  const auto split = [&](FragmentSplit which, const char* name) {
    std::vector<Index> columns;
    for (Index j = 0; j < points.cols(); ++j) {
      if (fragments.splits[static_cast<std::size_t>(j)] == which) columns.push_back(j);
    }
    return std::make_shared<const SplitSampler>(points(Eigen::all, columns), name);
  };
  return {split(split_train, "split 'train'"), split(split_validation, "split 'validation'"),
          split(split_reference, "split 'reference'")};
}

BackboneFragments middle_part(const BackboneFragments& fragments, Index residues) {
  if (residues < 2 || residues > fragments.residues) {
    throw InvalidInput(fmt::format("fragments of {} residues cannot be cut to {}", fragments.residues, residues));
  }
  const Index begin = (fragments.residues - residues) / 2;
  BackboneFragments part = fragments;
  part.residues = residues;
  part.coordinates = fragments.coordinates.middleRows(9 * begin, 9 * residues);
  for (std::string& sequence : part.sequences) {
    sequence = sequence.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(residues));
  }
  return part;
}

}  // namespace onmanifold
