// SPDX-License-Identifier: Apache-2.0
#include "metrics/neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <nanoflann.hpp>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/pairwise.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double next_above(double x) {
  return std::nextafter(x, infinity);
}

// The distance that decides, everywhere: one addition after the other.
double exact_squared_distance(const double* a, const double* b, Index dimension) {
  double sum = 0;
  for (Index c = 0; c < dimension; ++c) {
    const double difference = a[c] - b[c];
    sum += difference * difference;
  }
  return sum;
}

// The result sets have the form nanoflann asks for. A candidate is offered if its distance is below
// worstDist().
class Nearest {
 public:
  using DistanceType = double;
  explicit Nearest(Index skip = -1) : skip_(skip) {}
  void addTo(double d2, Index index) {
    if (d2 < best || (d2 == best && index < at)) {
      best = d2;
      at = index;
    }
  }
  bool addPoint(double d2, std::size_t index) {
    if (static_cast<Index>(index) != skip_) addTo(d2, static_cast<Index>(index));
    return true;
  }
  // One step above the best, so that ties are offered too.
  [[nodiscard]] double worstDist() const { return at < 0 ? infinity : next_above(best); }
  [[nodiscard]] bool full() const { return true; }
  void sort() {}
  [[nodiscard]] std::size_t size() const { return at < 0 ? 0 : 1; }

  double best = infinity;
  Index at = -1;

 private:
  Index skip_;
};

// The k smallest distances to points other than self, in a sorted array.
class KthNearest {
 public:
  using DistanceType = double;
  KthNearest(std::vector<double>& storage, Index self) : kept_(storage), self_(self) {
    std::fill(kept_.begin(), kept_.end(), infinity);
  }
  bool addPoint(double d2, std::size_t index) {
    if (static_cast<Index>(index) == self_ || !(d2 < kept_.back())) return true;
    std::size_t i = kept_.size() - 1;
    for (; i > 0 && kept_[i - 1] > d2; --i) kept_[i] = kept_[i - 1];
    kept_[i] = d2;
    return true;
  }
  [[nodiscard]] double worstDist() const { return kept_.back(); }
  [[nodiscard]] bool full() const { return true; }
  void sort() {}
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  std::vector<double>& kept_;
  Index self_;
};

// All points at the smallest distance.
class AllNearest {
 public:
  using DistanceType = double;
  explicit AllNearest(Index skip) : skip_(skip) {}
  bool addPoint(double d2, std::size_t index) {
    const auto i = static_cast<Index>(index);
    if (i == skip_ || d2 > best) return true;
    if (d2 < best) at.clear();
    best = d2;
    at.push_back(i);
    return true;
  }
  // One step above the best, so that ties are offered too.
  [[nodiscard]] double worstDist() const { return at.empty() ? infinity : next_above(best); }
  [[nodiscard]] bool full() const { return true; }
  void sort() {}
  [[nodiscard]] std::size_t size() const { return at.size(); }

  double best = infinity;
  std::vector<Index> at;

 private:
  Index skip_;
};

class Ball {
 public:
  using DistanceType = double;
  Ball(double limit, Eigen::Array<bool, Eigen::Dynamic, 1>& covered) : limit_(limit), covered_(covered) {}
  bool addPoint(double d2, std::size_t index) {
    if (d2 < limit_) {
      ++count;
      some = static_cast<Index>(index);
      covered_[static_cast<Index>(index)] = true;
    }
    return true;
  }
  [[nodiscard]] double worstDist() const { return limit_; }
  [[nodiscard]] bool full() const { return true; }
  void sort() {}
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(count); }

  Index count = 0;
  Index some = -1;

 private:
  double limit_;
  Eigen::Array<bool, Eigen::Dynamic, 1>& covered_;
};

struct Adaptor {
  const Points* points;
  [[nodiscard]] std::size_t kdtree_get_point_count() const { return static_cast<std::size_t>(points->cols()); }
  [[nodiscard]] double kdtree_get_pt(std::size_t index, std::size_t dim) const {
    return points->coeff(static_cast<Index>(dim), static_cast<Index>(index));
  }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

}  // namespace

// Finds candidates; the result sets above decide.
class NeighbourIndex::Search {
 public:
  explicit Search(const Points& points) : points_(points) {}
  virtual ~Search() = default;
  [[nodiscard]] const Points& points() const { return points_; }
  virtual void find(const Points& queries, std::vector<Nearest>& sets) const = 0;
  virtual void find(const Points& queries, std::vector<KthNearest>& sets) const = 0;
  virtual void find(const Points& queries, std::vector<Ball>& sets) const = 0;
  virtual void find(const Points& queries, std::vector<AllNearest>& sets) const = 0;

 private:
  const Points& points_;
};

namespace {

template <int Dimension>
class TreeSearch final : public NeighbourIndex::Search {
 public:
  explicit TreeSearch(const Points& points)
      : Search(points),
        adaptor_{&points},
        tree_(static_cast<int>(points.rows()), adaptor_, nanoflann::KDTreeSingleIndexAdaptorParams(10)) {}
  void find(const Points& queries, std::vector<Nearest>& sets) const override { run(queries, sets); }
  void find(const Points& queries, std::vector<KthNearest>& sets) const override { run(queries, sets); }
  void find(const Points& queries, std::vector<Ball>& sets) const override { run(queries, sets); }
  void find(const Points& queries, std::vector<AllNearest>& sets) const override { run(queries, sets); }

 private:
  template <class Set>
  void run(const Points& queries, std::vector<Set>& sets) const {
    // The tree's lower bounds are rounded; the negative eps keeps a branch that misses by rounding alone.
    constexpr float eps = -1e-6F;
#if NANOFLANN_VERSION >= 0x150
    const nanoflann::SearchParameters parameters(eps, false);
#else
    const nanoflann::SearchParams parameters(32, eps, false);
#endif
    for (Index j = 0; j < queries.cols(); ++j) {
      tree_.findNeighbors(sets[static_cast<std::size_t>(j)], queries.col(j).data(), parameters);
    }
  }

  using Metric = nanoflann::L2_Simple_Adaptor<double, Adaptor>;
  Adaptor adaptor_;
  nanoflann::KDTreeSingleIndexAdaptor<Metric, Adaptor, Dimension, std::size_t> tree_;
};

class ProductSearch final : public NeighbourIndex::Search {
 public:
  explicit ProductSearch(const Points& points)
      : Search(points),
        centre_(tree_mean(points)),
        centred_(points.colwise() - centre_),
        norms_(centred_.colwise().squaredNorm()) {}
  void find(const Points& queries, std::vector<Nearest>& sets) const override { run(queries, sets); }
  void find(const Points& queries, std::vector<KthNearest>& sets) const override { run(queries, sets); }
  void find(const Points& queries, std::vector<Ball>& sets) const override { run(queries, sets); }
  void find(const Points& queries, std::vector<AllNearest>& sets) const override { run(queries, sets); }

 private:
  template <class Set>
  void run(const Points& queries, std::vector<Set>& sets) const {
    constexpr Index block = 512;
    const Index dimension = points().rows();
    const Points shifted = queries.colwise() - centre_;
    const Vector query_norms = shifted.colwise().squaredNorm();
    // |computed - exact| of |x|^2 + |y|^2 - 2 x.y is below (2D + 4) u (|x|^2 + |y|^2), plus as much for the
    // shift and for the exact form itself: four times that is a safe margin inside which the exact form
    // decides.
    const double margin = 8 * static_cast<double>(dimension + 4) * std::numeric_limits<double>::epsilon();
    // Subtracting the centre rounds every coordinate by up to u |centre|, which shows in data far from the
    // origin.
    const double shift = 16 * std::numeric_limits<double>::epsilon() * centre_.norm();
    const double largest = norms_.maxCoeff();
    Points products;
    for (Index begin = 0; begin < points().cols(); begin += block) {
      const Index height = std::min(block, points().cols() - begin);
      products.noalias() = centred_.middleCols(begin, height).transpose() * shifted;
      for (Index j = 0; j < queries.cols(); ++j) {
        Set& set = sets[static_cast<std::size_t>(j)];
        double worst = set.worstDist();
        const double offset = shift * std::sqrt(2 * (largest + query_norms[j])) + shift * shift;
        for (Index i = 0; i < height; ++i) {
          const double scale = norms_[begin + i] + query_norms[j];
          if (scale - 2 * products(i, j) - margin * scale - offset > worst) continue;
          const double d2 = exact_squared_distance(queries.col(j).data(), points().col(begin + i).data(), dimension);
          if (d2 < worst) {
            set.addPoint(d2, static_cast<std::size_t>(begin + i));
            worst = set.worstDist();
          }
        }
      }
    }
  }

  Vector centre_;
  Points centred_;
  Vector norms_;
};

// use(query, set) for every query, with what a search left in its set; \p others leaves the query itself out.
template <class Set, class Use>
void search_all(const NeighbourIndex::Search& search, const Points& queries, bool others, const Use& use) {
  constexpr Index block = 256;
  for (Index first = 0; first < queries.cols(); first += block) {
    const Index width = std::min(block, queries.cols() - first);
    std::vector<Set> sets;
    for (Index j = 0; j < width; ++j) sets.emplace_back(others ? first + j : -1);
    search.find(queries.middleCols(first, width), sets);
    for (Index j = 0; j < width; ++j) use(first + j, sets[static_cast<std::size_t>(j)]);
  }
}

Neighbours run_nearest(const NeighbourIndex::Search& search, const Points& queries, bool others) {
  Neighbours result;
  result.index.resize(queries.cols());
  result.squared_distance.resize(queries.cols());
  search_all<Nearest>(search, queries, others, [&](Index query, const Nearest& nearest) {
    result.index[query] = nearest.at;
    result.squared_distance[query] = nearest.best;
  });
  return result;
}

void visit_all_nearest(const NeighbourIndex::Search& search, const Points& queries, bool others,
                       const NeighbourIndex::TieVisitor& visit) {
  search_all<AllNearest>(search, queries, others,
                         [&](Index query, const AllNearest& nearest) { visit(query, nearest.at); });
}

}  // namespace

NeighbourIndex::NeighbourIndex(const Points& points, Method method) {
  if (points.cols() == 0) throw InvalidInput("neighbours: no points");
  check_squares(points, "neighbours");
  const bool tree = method == Method::tree || (method == Method::automatic && points.rows() <= tree_dimension);
  if (!tree) {
    search_ = std::make_unique<ProductSearch>(points);
  } else if (points.rows() == 2) {
    search_ = std::make_unique<TreeSearch<2>>(points);
  } else if (points.rows() == 3) {
    search_ = std::make_unique<TreeSearch<3>>(points);
  } else {
    search_ = std::make_unique<TreeSearch<-1>>(points);
  }
}

NeighbourIndex::~NeighbourIndex() = default;

Neighbours NeighbourIndex::nearest(const Points& queries) const {
  check_dimension(queries, search_->points().rows(), "queries");
  check_squares(queries, "neighbours");
  return run_nearest(*search_, queries, false);
}

Neighbours NeighbourIndex::nearest_other() const {
  if (search_->points().cols() < 2) throw InvalidInput("neighbours: a single point has no other");
  return run_nearest(*search_, search_->points(), true);
}

void NeighbourIndex::all_nearest(const Points& queries, const TieVisitor& visit) const {
  check_dimension(queries, search_->points().rows(), "queries");
  check_squares(queries, "neighbours");
  visit_all_nearest(*search_, queries, false, visit);
}

void NeighbourIndex::all_nearest_others(const TieVisitor& visit) const {
  if (search_->points().cols() < 2) throw InvalidInput("neighbours: a single point has no other");
  visit_all_nearest(*search_, search_->points(), true, visit);
}

Vector NeighbourIndex::kth_squared_distance(Index k) const {
  const Points& points = search_->points();
  if (k < 1 || k >= points.cols())
    throw InvalidInput(fmt::format("k = {} needs more than {} points", k, points.cols()));
  Vector result(points.cols());
  constexpr Index block = 256;
  std::vector<std::vector<double>> storage(block, std::vector<double>(static_cast<std::size_t>(k)));
  for (Index first = 0; first < points.cols(); first += block) {
    const Index width = std::min(block, points.cols() - first);
    std::vector<KthNearest> sets;
    sets.reserve(static_cast<std::size_t>(width));
    for (Index j = 0; j < width; ++j) sets.emplace_back(storage[static_cast<std::size_t>(j)], first + j);
    search_->find(points.middleCols(first, width), sets);
    for (Index j = 0; j < width; ++j) result[first + j] = storage[static_cast<std::size_t>(j)].back();
  }
  return result;
}

BallCounts NeighbourIndex::within(const Points& centres, const VectorRef& squared_radii, bool closed) const {
  check_dimension(centres, search_->points().rows(), "centres");
  check_squares(centres, "neighbours");
  if (squared_radii.size() != centres.cols()) throw InvalidInput("within: one radius a centre");
  BallCounts result;
  result.inside.resize(centres.cols());
  result.some.resize(centres.cols());
  result.covered = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(search_->points().cols(), false);
  constexpr Index block = 256;
  for (Index first = 0; first < centres.cols(); first += block) {
    const Index width = std::min(block, centres.cols() - first);
    std::vector<Ball> sets;
    sets.reserve(static_cast<std::size_t>(width));
    for (Index j = 0; j < width; ++j) {
      const double r2 = squared_radii[first + j];
      sets.emplace_back(closed ? next_above(r2) : r2, result.covered);
    }
    search_->find(centres.middleCols(first, width), sets);
    for (Index j = 0; j < width; ++j) {
      result.inside[first + j] = sets[static_cast<std::size_t>(j)].count;
      result.some[first + j] = sets[static_cast<std::size_t>(j)].some;
    }
  }
  return result;
}

}  // namespace onmanifold
