// SPDX-License-Identifier: Apache-2.0
#include "metrics/transport.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <lemon/bits/graph_extender.h>
#include <lemon/core.h>
#include <lemon/network_simplex.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/null_simulation.hpp"
#include "metrics/point_space.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

// All arcs from n sources (nodes 0 … n-1) to m targets (nodes n … n+m-1), without storage: arc a goes from a
// / m to n + a % m. Names and signatures are those that LEMON's extender asks for.
class BipartiteBase {
 public:
  using Digraph = BipartiteBase;
  using NodeNumTag = lemon::True;
  using ArcNumTag = lemon::True;

  class Node {
   public:
    Node() = default;
    Node(lemon::Invalid) : id_(-1) {}  // NOLINT(google-explicit-constructor): LEMON converts
    bool operator==(const Node& other) const { return id_ == other.id_; }
    bool operator!=(const Node& other) const { return id_ != other.id_; }
    bool operator<(const Node& other) const { return id_ < other.id_; }

   protected:
    friend class BipartiteBase;
    explicit Node(int id) : id_(id) {}
    int id_ = -1;
  };
  class Arc {
   public:
    Arc() = default;
    Arc(lemon::Invalid) : id_(-1) {}  // NOLINT(google-explicit-constructor): LEMON converts
    bool operator==(const Arc& other) const { return id_ == other.id_; }
    bool operator!=(const Arc& other) const { return id_ != other.id_; }
    bool operator<(const Arc& other) const { return id_ < other.id_; }

   protected:
    friend class BipartiteBase;
    explicit Arc(int id) : id_(id) {}
    int id_ = -1;
  };

  [[nodiscard]] int nodeNum() const { return sources_ + targets_; }
  [[nodiscard]] int arcNum() const { return sources_ * targets_; }
  [[nodiscard]] int maxNodeId() const { return nodeNum() - 1; }
  [[nodiscard]] int maxArcId() const { return arcNum() - 1; }
  [[nodiscard]] Node source(const Arc& arc) const { return Node(arc.id_ / targets_); }
  [[nodiscard]] Node target(const Arc& arc) const { return Node(sources_ + arc.id_ % targets_); }
  static int id(const Node& node) { return node.id_; }
  static int id(const Arc& arc) { return arc.id_; }
  static Node nodeFromId(int id) { return Node(id); }
  static Arc arcFromId(int id) { return Arc(id); }

  void first(Node& node) const { node.id_ = nodeNum() - 1; }
  static void next(Node& node) { --node.id_; }
  void first(Arc& arc) const { arc.id_ = arcNum() - 1; }
  static void next(Arc& arc) { --arc.id_; }
  void firstOut(Arc& arc, const Node& node) const {
    arc.id_ = node.id_ < sources_ ? (node.id_ + 1) * targets_ - 1 : -1;
  }
  void nextOut(Arc& arc) const { arc.id_ = arc.id_ % targets_ == 0 ? -1 : arc.id_ - 1; }
  void firstIn(Arc& arc, const Node& node) const {
    arc.id_ = node.id_ < sources_ ? -1 : (sources_ - 1) * targets_ + node.id_ - sources_;
  }
  void nextIn(Arc& arc) const { arc.id_ = arc.id_ < targets_ ? -1 : arc.id_ - targets_; }

 protected:
  int sources_ = 0;
  int targets_ = 0;
};

class Bipartite : public lemon::DigraphExtender<BipartiteBase> {
 public:
  Bipartite(Index sources, Index targets) {
    sources_ = static_cast<int>(sources);
    targets_ = static_cast<int>(targets);
  }
};

// |x_i - y_j|^p of an arc, along great circles if radius > 0; as an integer cost if scale > 0.
struct ArcCost {
  const Points* x;
  const Points* y;
  int p;
  double radius;
  double scale;
  [[nodiscard]] double real(Index arc) const {
    double square = (x->col(arc / y->cols()) - y->col(arc % y->cols())).squaredNorm();
    if (radius > 0) {
      const double length = 2 * radius * std::asin(std::min(1.0, 0.5 * std::sqrt(square) / radius));
      square = length * length;
    }
    return p == 2 ? square : std::sqrt(square);
  }
  std::int64_t operator[](const Bipartite::Arc& arc) const {
    return std::llround(scale * real(BipartiteBase::id(arc)));
  }
};

constexpr Index largest_problem = std::numeric_limits<std::int32_t>::max();

class TransportMetric final : public Metric {
 public:
  enum class Kind { w1, w2, w2_sq };
  TransportMetric(Kind kind, Settings& settings)
      : kind_(kind),
        space_(settings),
        size_(settings.integer("size", 0, 0, "only the first so many points of each set; 0: all")) {}

 private:
  [[nodiscard]] double from_cost(double cost) const { return kind_ == Kind::w2 ? std::sqrt(cost) : cost; }

  std::vector<MetricRecord> do_measure(const MetricInput& input) const override {
    static constexpr const char* names[] = {"w1", "w2", "w2_sq"};
    const char* name = names[static_cast<int>(kind_)];
    Value::Table parameters;
    parameters["space"] = space_.name();
    parameters["distance"] = space_.distance();
    parameters["size"] = static_cast<std::int64_t>(size_);
    MetricRecord record = make_record(name, "lower", parameters, input);
    record.unit = space_.unit(kind_ == Kind::w2_sq ? "length^2" : "length");
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    if (const std::string why = space_.obstacle(input); !why.empty()) return {not_applicable(record, why)};
    const double radius = space_.radius(input);
    const auto head = [&](const Points& all) -> Points {
      return space_.embed(all.leftCols(size_ > 0 ? std::min(size_, all.cols()) : all.cols()), input);
    };
    const Points x = head(sets.reference());
    const Points y = head(sets.samples());
    record.n_reference = x.cols();
    const int p = kind_ == Kind::w1 ? 1 : 2;
    const std::uint64_t memory = input.target.memory();
    const double cost = *input.memo().get<double>(fmt::format("transport/{}/{}/{}", p, space_.name(), size_),
                                                  [&] { return exact_transport(x, y, p, memory, radius); });
    record.value = from_cost(cost);

    // As many simulated pairs as fit into the time of one problem of 2,000 by 2,000 points, which is a
    // second.
    constexpr Index arcs = 4'000'000;
    const Index draws = std::min<Index>(40, arcs / std::max<Index>(1, x.cols() * y.cols()));
    if (draws >= 8 && input.target.sampler != nullptr) {
      const bool ambient = space_.kind() == PointSpace::Kind::ambient;
      NullPlan plan;
      plan.small_draws = draws;
      plan.small_total = x.cols() + y.cols();
      const auto null = simulated_null(
          input, ambient ? name : fmt::format("{}({})", name, space_.name()), x.cols(), y.cols(), 1, plan,
          [&](const Points& a, const Points& b) {
            return Vector::Constant(
                1, from_cost(exact_transport(space_.embed(a, input), space_.embed(b, input), p, memory, radius)));
          });
      record.null = null->mean[0];
      record.null_sd = null->sd[0];
      parameters["null_method"] = null->method;
    } else {
      parameters["null_method"] = "none: read the oracle's row";
    }
    record.parameters = to_json(parameters);
    return {record};
  }

  Kind kind_;
  PointSpace space_;
  Index size_;
};

}  // namespace

std::uint64_t transport_bytes(Index n, Index m) {
  // An arc has five 32-bit and one 64-bit number, a state, two ends and a place in the order of the search.
  constexpr std::uint64_t arc = 41;
  constexpr std::uint64_t node = 200;
  const auto a = static_cast<std::uint64_t>(n);
  const auto b = static_cast<std::uint64_t>(m);
  return arc * a * b + node * (a + b);
}

Index transport_size(std::uint64_t memory_bytes) {
  Index low = 0;
  Index high = 46340;  // 2^31 arcs
  while (low < high) {
    const Index middle = (low + high + 1) / 2;
    if (transport_bytes(middle, middle) <= memory_bytes) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

double exact_transport(const Points& x, const Points& y, int p, std::uint64_t memory_bytes, double radius) {
  return exact_transport_plan(x, y, p, memory_bytes, radius).cost;
}

TransportPlan exact_transport_plan(const Points& x, const Points& y, int p, std::uint64_t memory_bytes, double radius) {
  check_dimension(y, x.rows(), "samples");
  check_finite(x, "transport");
  check_finite(y, "transport");
  const Index n = x.cols();
  const Index m = y.cols();
  if (n == 0 || m == 0) throw InvalidInput("transport: no points");
  if (p != 1 && p != 2) throw InvalidInput("transport: p is 1 or 2");
  if (n > largest_problem / m || transport_bytes(n, m) > memory_bytes) {
    throw InvalidInput(
        fmt::format("exact transport of {} to {} points needs {:.3g} GB, above the memory limit of {:.3g} "
                    "GB; size={} fits",
                    n, m, static_cast<double>(transport_bytes(n, m)) * 1e-9, static_cast<double>(memory_bytes) * 1e-9,
                    transport_size(memory_bytes)));
  }
  // Supplies in units of 1/lcm(n, m).
  const Index divisor = std::gcd(n, m);
  const Index supply = m / divisor;
  const Index demand = n / divisor;

  ArcCost cost{&x, &y, p, radius, 0};
  double largest = 0;
  for (Index arc = 0; arc < n * m; ++arc) largest = std::max(largest, cost.real(arc));
  if (!std::isfinite(largest)) throw InvalidInput("transport: distances overflow");
  // Potentials stay below four times (largest cost + 1) times the number of nodes, which must not overflow.
  const int bits = 60 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n + m)));
  cost.scale = largest > 0 ? std::ldexp(1.0, std::min(bits, 52)) / largest : 0;

  const Bipartite graph(n, m);
  using Simplex = lemon::NetworkSimplex<Bipartite, std::int32_t, std::int64_t>;
  Simplex simplex(graph);
  struct Supply {
    Index n;
    std::int32_t supply;
    std::int32_t demand;
    std::int32_t operator[](const Bipartite::Node& node) const {
      return BipartiteBase::id(node) < n ? supply : -demand;
    }
  };
  simplex.costMap(cost).supplyMap(Supply{n, static_cast<std::int32_t>(supply), static_cast<std::int32_t>(demand)});
  if (simplex.run(Simplex::BLOCK_SEARCH) != Simplex::OPTIMAL)
    throw NumericalFailure("transport: the network simplex found no plan");
  TreeSum sum;
  TransportPlan plan;
  const double total = static_cast<double>(n) * static_cast<double>(supply);
  for (Index arc = 0; arc < n * m; ++arc) {
    const std::int32_t flow = simplex.flow(BipartiteBase::arcFromId(static_cast<int>(arc)));
    if (flow == 0) continue;
    sum.add(static_cast<double>(flow) * cost.real(arc));
    plan.pairs.push_back({arc / m, arc % m, static_cast<double>(flow) / total});
  }
  plan.cost = sum.sum() / total;
  return plan;
}

std::unique_ptr<Metric> make_w1(Settings& settings) {
  return std::make_unique<TransportMetric>(TransportMetric::Kind::w1, settings);
}
std::unique_ptr<Metric> make_w2(Settings& settings) {
  return std::make_unique<TransportMetric>(TransportMetric::Kind::w2, settings);
}
std::unique_ptr<Metric> make_w2_sq(Settings& settings) {
  return std::make_unique<TransportMetric>(TransportMetric::Kind::w2_sq, settings);
}

}  // namespace onmanifold
