// SPDX-License-Identifier: Apache-2.0
#include "metrics/transport.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <lemon/bits/graph_extender.h>
#include <lemon/core.h>
#include <lemon/network_simplex.h>
#include <lemon/static_graph.h>

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

// |x_i - y_j|^p of an arc, along great circles if radius > 0.
struct ArcCost {
  const Points* x;
  const Points* y;
  int p;
  double radius;
  [[nodiscard]] double operator()(Index i, Index j) const {
    double square = (x->col(i) - y->col(j)).squaredNorm();
    if (radius > 0) {
      const double length = 2 * radius * std::asin(std::min(1.0, 0.5 * std::sqrt(square) / radius));
      square = length * length;
    }
    return p == 2 ? square : std::sqrt(square);
  }
};

// Share of its cost by which a plan may miss the certificate.
constexpr double tolerance = 1e-9;

[[noreturn]] void fail_uncertain() {
  throw NumericalFailure("transport: no plan whose cost is certain to 1e-9; costs span too many magnitudes");
}

// 113 bits: dual values of points far away do not drown those of points near by.
__extension__ using Quad = __float128;

// Exact transport with its certificate: a plan and dual values u_i + v_j <= c_ij whose sum is the cost of the plan but
// for 1e-9 of it. The network simplex works on integers; where the largest cost makes these too coarse, the problem is
// solved again for the costs that the dual values leave, c_ij - u_i - v_j >= 0, which has the same optimal plans.
class Certified {
 public:
  Certified(const Points& x, const Points& y, int p, double radius)
      : n_(x.cols()),
        m_(y.cols()),
        supply_(m_ / std::gcd(n_, m_)),
        demand_(n_ / std::gcd(n_, m_)),
        cost_{&x, &y, p, radius},
        u_(static_cast<std::size_t>(n_), 0),
        v_(static_cast<std::size_t>(m_), 0) {}

  [[nodiscard]] TransportPlan plan() {
    double largest = 0;
    for (Index i = 0; i < n_; ++i) {
      for (Index j = 0; j < m_; ++j) largest = std::max(largest, cost_(i, j));
    }
    if (!std::isfinite(largest)) throw NumericalFailure("transport: distances overflow");
    const double units = static_cast<double>(n_) * static_cast<double>(supply_);
    double bound = largest;
    for (int round = 0; round < most_rounds; ++round) {
      const TransportPlan found = solve(round, bound);
      const double gap = found.cost == 0 ? 0 : gap_of(found);
      if (gap <= tolerance * found.cost) return found;
      // A plan that uses an arc of cost c' moves at least one unit along it, and costs c'/units more than the dual
      // values say: no optimal one uses an arc above gap times units. Twice that, as the gap is known to the rounding
      // of the cost only, and an arc that is cut to its bound must cost more than the best plan.
      const double next = 2 * gap * units;
      if (!(next < 0.5 * bound)) break;
      bound = next;
    }
    fail_uncertain();
  }

 private:
  using Simplex = lemon::NetworkSimplex<Bipartite, std::int32_t, std::int64_t>;

  struct Supplies {
    Index n;
    std::int32_t supply;
    std::int32_t demand;
    std::int32_t operator[](const Bipartite::Node& node) const {
      return BipartiteBase::id(node) < n ? supply : -demand;
    }
  };
  struct IntegerCost {
    const Certified* owner;
    bool reduced;
    double bound;
    double scale;
    std::int64_t operator[](const Bipartite::Arc& arc) const {
      const Index i = BipartiteBase::id(arc) / owner->m_;
      const Index j = BipartiteBase::id(arc) % owner->m_;
      const double cost = owner->cost_(i, j);
      if (!reduced) return std::llround(scale * cost);
      const auto rest =
          static_cast<double>(cost - owner->u_[static_cast<std::size_t>(i)] - owner->v_[static_cast<std::size_t>(j)]);
      return std::llround(scale * std::clamp(rest, 0.0, bound));
    }
  };

  // The plan for costs in units of bound / 2^bits; adds its dual values to u and makes v fit.
  TransportPlan solve(int round, double bound) {
    // Potentials stay below four times (largest cost + 1) times the number of nodes, which must not overflow.
    const int bits = std::min(52, 60 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n_ + m_))));
    const double scale = bound > 0 ? std::ldexp(1.0, bits) / bound : 0;
    const Bipartite graph(n_, m_);
    Simplex simplex(graph);
    simplex.costMap(IntegerCost{this, round > 0, bound, scale})
        .supplyMap(Supplies{n_, static_cast<std::int32_t>(supply_), static_cast<std::int32_t>(demand_)});
    if (!std::isfinite(scale) || simplex.run(Simplex::BLOCK_SEARCH) != Simplex::OPTIMAL) {
      throw NumericalFailure("transport: the network simplex found no plan");
    }
    TreeSum sum;
    TransportPlan result;
    const double total = static_cast<double>(n_) * static_cast<double>(supply_);
    for (Index arc = 0; arc < n_ * m_; ++arc) {
      const std::int32_t flow = simplex.flow(BipartiteBase::arcFromId(static_cast<int>(arc)));
      if (flow == 0) continue;
      sum.add(static_cast<double>(flow) * cost_(arc / m_, arc % m_));
      result.pairs.push_back({arc / m_, arc % m_, static_cast<double>(flow) / total});
    }
    result.cost = sum.sum() / total;
    if (scale == 0) return result;
    for (Index i = 0; i < n_; ++i) {
      u_[static_cast<std::size_t>(i)] -=
          static_cast<Quad>(simplex.potential(BipartiteBase::nodeFromId(static_cast<int>(i)))) /
          static_cast<Quad>(scale);
    }
    // One constant is free: values around 0 lose least.
    std::vector<Quad> sorted = u_;
    std::nth_element(sorted.begin(), sorted.begin() + n_ / 2, sorted.end());
    const Quad middle = sorted[static_cast<std::size_t>(n_ / 2)];
    for (Quad& value : u_) value -= middle;
    return result;
  }

  // Cost of the plan minus the value of the dual values u_i and v_j = min_i (c_ij - u_i).
  double gap_of(const TransportPlan& plan) {
    Quad largest = 0;
    for (const Quad value : u_) largest = std::max(largest, value < 0 ? -value : value);
    // Doubles do where they cannot hide a gap.
    const bool doubles = static_cast<double>(largest) * 1e-14 <= 0.1 * tolerance * plan.cost;
    doubles ? fit<double>() : fit<Quad>();
    Quad dual = 0;
    Quad of_v = 0;
    for (const Quad value : u_) dual += value;
    for (const Quad value : v_) of_v += value;
    dual = dual / static_cast<Quad>(n_) + of_v / static_cast<Quad>(m_);
    return static_cast<double>(static_cast<Quad>(plan.cost) - dual);
  }

  template <class Number>
  void fit() {
    std::vector<Number> u;
    for (const Quad value : u_) u.push_back(static_cast<Number>(value));
    for (Index j = 0; j < m_; ++j) {
      Number best = static_cast<Number>(cost_(0, j)) - u[0];
      for (Index i = 1; i < n_; ++i)
        best = std::min(best, static_cast<Number>(cost_(i, j)) - u[static_cast<std::size_t>(i)]);
      v_[static_cast<std::size_t>(j)] = best;
    }
  }

  static constexpr int most_rounds = 12;
  Index n_;
  Index m_;
  Index supply_;  // in units of 1/lcm(n, m)
  Index demand_;
  ArcCost cost_;
  std::vector<Quad> u_;
  std::vector<Quad> v_;
};

constexpr Index largest_problem = std::numeric_limits<std::int32_t>::max();

// Exact transport where all pairs take too much memory: the network simplex on a few arcs, those to the nearest points
// to begin with. A pass over all pairs, which keeps none of them, then gives the bound of the dual values and the arcs
// that these say are missing (column generation), until the bound is the cost but for 1e-9 of it.
class FewArcs {
 public:
  FewArcs(const Points& x, const Points& y, int p, double radius, std::uint64_t memory_bytes)
      : n_(x.cols()),
        m_(y.cols()),
        supply_(m_ / std::gcd(n_, m_)),
        demand_(n_ / std::gcd(n_, m_)),
        memory_(memory_bytes),
        cost_{&x, &y, p, radius},
        u_(Vector::Zero(n_)),
        v_(Vector::Zero(m_)) {
    add_corner(order_of(x), order_of(y));
  }

  [[nodiscard]] TransportPlan plan() {
    price(std::numeric_limits<double>::infinity());
    for (int round = 0; round < most_rounds; ++round) {
      const TransportPlan found = solve();
      if (found.cost == 0) return found;
      const std::size_t before = arcs_.size();
      const double bound = price(-1e-12 * found.cost);
      if (found.cost - bound <= tolerance * found.cost) return found;
      if (arcs_.size() == before) break;  // rounding hides what is missing
    }
    fail_uncertain();
  }

 private:
  struct Arc {
    std::int32_t from;
    std::int32_t to;
    auto operator<=>(const Arc&) const = default;
  };

  /// The cheapest arcs of one point.
  class Cheapest {
   public:
    void offer(double cost, std::int32_t other) {
      if (count_ == most && cost >= costs_[most - 1]) return;
      std::size_t place = count_ < most ? count_++ : most - 1;
      for (; place > 0 && costs_[place - 1] > cost; --place) {
        costs_[place] = costs_[place - 1];
        others_[place] = others_[place - 1];
      }
      costs_[place] = cost;
      others_[place] = other;
    }
    [[nodiscard]] auto begin() const { return others_.begin(); }
    [[nodiscard]] auto end() const { return others_.begin() + static_cast<std::ptrdiff_t>(count_); }

   private:
    static constexpr std::size_t most = 8;
    std::array<double, most> costs_{};
    std::array<std::int32_t, most> others_{};
    std::size_t count_ = 0;
  };

  static std::vector<std::int32_t> order_of(const Points& points) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(points.cols()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return points(0, a) < points(0, b); });
    return order;
  }

  // The plan along the first coordinate, so that there is one.
  void add_corner(const std::vector<std::int32_t>& x, const std::vector<std::int32_t>& y) {
    std::size_t i = 0;
    std::size_t j = 0;
    Index left = supply_;
    Index wanted = demand_;
    while (i < x.size() && j < y.size()) {
      arcs_.push_back({x[i], y[j]});
      const Index moved = std::min(left, wanted);
      left -= moved;
      wanted -= moved;
      if (left == 0) {
        ++i;
        left = supply_;
      }
      if (wanted == 0) {
        ++j;
        wanted = demand_;
      }
    }
  }

  // Adds, of every point, the cheapest arcs that cost less than \p limit beyond the dual values. \return the value of
  // the dual values u_i and min_i (c_ij - u_i).
  double price(double limit) {
    std::vector<Cheapest> of_x(static_cast<std::size_t>(n_));
    TreeSum dual;
    for (Index j = 0; j < m_; ++j) {
      Cheapest of_y;
      double least = std::numeric_limits<double>::infinity();
      for (Index i = 0; i < n_; ++i) {
        const double rest = cost_(i, j) - u_[i] - v_[j];
        least = std::min(least, rest);
        if (!(rest < limit)) continue;
        of_y.offer(rest, static_cast<std::int32_t>(i));
        of_x[static_cast<std::size_t>(i)].offer(rest, static_cast<std::int32_t>(j));
      }
      if (!std::isfinite(least)) throw NumericalFailure("transport: distances overflow");
      dual.add(v_[j] + least);
      for (const std::int32_t i : of_y) arcs_.push_back({i, static_cast<std::int32_t>(j)});
    }
    for (Index i = 0; i < n_; ++i) {
      for (const std::int32_t j : of_x[static_cast<std::size_t>(i)]) arcs_.push_back({static_cast<std::int32_t>(i), j});
    }
    std::sort(arcs_.begin(), arcs_.end());
    arcs_.erase(std::unique(arcs_.begin(), arcs_.end()), arcs_.end());
    if (const double needed = bytes_an_arc * static_cast<double>(arcs_.size()); needed > static_cast<double>(memory_)) {
      throw InvalidInput(fmt::format(
          "exact transport of {} to {} points needs {:.3g} GB and more, above the memory limit of {:.3g} GB; --memory raises "
          "it, size={} fits it, sinkhorn_div and sliced_w2 (other distances) take all points",
          n_, m_, needed * 1e-9, static_cast<double>(memory_) * 1e-9, transport_size(memory_)));
    }
    return tree_mean_of(u_) + dual.sum() / static_cast<double>(m_);
  }

  // The best plan on the arcs there are, and its dual values.
  TransportPlan solve() {
    std::vector<std::pair<int, int>> ends;
    Vector costs(static_cast<Index>(arcs_.size()));
    for (const Arc& arc : arcs_) {
      costs[static_cast<Index>(ends.size())] = cost_(arc.from, arc.to);
      ends.emplace_back(arc.from, static_cast<int>(n_) + arc.to);
    }
    lemon::StaticDigraph graph;
    graph.build(static_cast<int>(n_ + m_), ends.begin(), ends.end());
    const int bits = std::min(52, 60 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n_ + m_))));
    const double largest = costs.maxCoeff();
    const double scale = largest > 0 ? std::ldexp(1.0, bits) / largest : 0;
    lemon::StaticDigraph::ArcMap<std::int64_t> whole(graph);
    for (Index a = 0; a < costs.size(); ++a) whole[graph.arc(static_cast<int>(a))] = std::llround(scale * costs[a]);
    lemon::StaticDigraph::NodeMap<std::int32_t> supplies(graph);
    for (Index i = 0; i < n_ + m_; ++i) {
      supplies[graph.node(static_cast<int>(i))] = static_cast<std::int32_t>(i < n_ ? supply_ : -demand_);
    }
    using Simplex = lemon::NetworkSimplex<lemon::StaticDigraph, std::int32_t, std::int64_t>;
    Simplex simplex(graph);
    if (!std::isfinite(scale) || simplex.costMap(whole).supplyMap(supplies).run() != Simplex::OPTIMAL) {
      throw NumericalFailure("transport: the network simplex found no plan");
    }
    TransportPlan result;
    TreeSum sum;
    const double total = static_cast<double>(n_) * static_cast<double>(supply_);
    for (std::size_t a = 0; a < arcs_.size(); ++a) {
      const std::int32_t flow = simplex.flow(graph.arc(static_cast<int>(a)));
      if (flow == 0) continue;
      sum.add(static_cast<double>(flow) * costs[static_cast<Index>(a)]);
      result.pairs.push_back({arcs_[a].from, arcs_[a].to, static_cast<double>(flow) / total});
    }
    result.cost = sum.sum() / total;
    if (scale == 0) return result;
    for (Index i = 0; i < n_ + m_; ++i) {
      const double value = static_cast<double>(simplex.potential(graph.node(static_cast<int>(i)))) / scale;
      (i < n_ ? u_[i] : v_[i - n_]) = i < n_ ? -value : value;
    }
    return result;
  }

  static constexpr int most_rounds = 100;
  static constexpr double bytes_an_arc = 100;  // ends three times, cost, and what the simplex keeps of it
  Index n_;
  Index m_;
  Index supply_;  // in units of 1/lcm(n, m)
  Index demand_;
  std::uint64_t memory_;
  ArcCost cost_;
  std::vector<Arc> arcs_;  // by from, then to
  Vector u_;
  Vector v_;
};

class TransportMetric final : public Metric {
 public:
  enum class Kind { w1, w2, w2_sq };
  TransportMetric(Kind kind, Settings& settings)
      : kind_(kind),
        space_(settings),
        size_(settings.integer("size", 0, 0, "so many points of each set, drawn at random; 0: all")) {}

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
    record.version = 3;  // 2: exact whatever the magnitudes; 3: size draws
    record.unit = space_.unit(kind_ == Kind::w2_sq ? "length^2" : "length");
    const FinitePair sets(input, record);
    if (const auto obstacle = sets.obstacle(record)) return {*obstacle};
    if (const std::string why = space_.obstacle(input); !why.empty()) return {not_applicable(record, why)};
    const double radius = space_.radius(input);
    // In an order that does not depend on that of the rows: where costs span many magnitudes the simplex may find a
    // plan that is certain in one order only. Sorted points would be an unusual input for it.
    const auto some = [&](const FiniteColumns& all) -> Points {
      if (size_ > 0 && size_ < all.size()) return space_.embed(all.drawn(size_), input);
      Stream stream(0, "metrics/transport");
      return space_.embed(all.sorted()(Eigen::all, stream.permutation(all.size())), input);
    };
    const Points x = some(input.target.finite());
    const Points y = some(input.finite());
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

  [[nodiscard]] std::optional<int> do_degree() const override {
    if (space_.kind() != PointSpace::Kind::ambient) return std::nullopt;
    return kind_ == Kind::w2_sq ? 2 : 1;
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
  if (n > largest_problem / m || transport_bytes(n, m) > memory_bytes)
    return FewArcs(x, y, p, radius, memory_bytes).plan();
  return Certified(x, y, p, radius).plan();
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
