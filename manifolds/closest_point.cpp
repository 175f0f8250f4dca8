// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffp-contract=off (see CMakeLists.txt): vector and scalar code below must round alike.
#include "manifolds/closest_point.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include <Eigen/Dense>

namespace onmanifold {
namespace {

// Eight lanes whatever the machine: the compiler splits them into the registers it has.
constexpr int lanes = 8;
using Doubles = double __attribute__((vector_size(8 * lanes)));
using Mask = long long __attribute__((vector_size(8 * lanes)));
using Floats = float __attribute__((vector_size(4 * lanes)));
using Ints = int __attribute__((vector_size(4 * lanes)));

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr float infinity_f = std::numeric_limits<float>::infinity();
constexpr int no_face = std::numeric_limits<int>::max();
constexpr double largest_coordinate = 1e150;  // squares stay finite
// Box distances are computed from coordinates rounded to float (relative error 2^-24, absolute 2^-23 in units
// where the mesh is within [-2, 2]) with five more roundings. The padding covers the first, the factor the
// rest, twice over.
constexpr double padding = 0x1p-21;
constexpr double slack = 1 + 0x1p-18;

// Eight triangles, vertices in the order of their numbers, dual basis of the plane, 1 / |edge|^2. Edges are
// differences of vertices and computed anew: memory is what queries wait for.
struct alignas(64) Block {
  Doubles a[3], b[3], c[3];
  Doubles dual_b[3], dual_c[3];
  Doubles inverse_ab, inverse_ac, inverse_bc;
  int face[lanes];
};

// Child: the number of a node, or ~number of a block.
struct alignas(64) Node {
  Floats low[3], high[3];
  int child[lanes];
};

// The same sequence of operations for V = Doubles and V = double: keep it one template.
inline Doubles select(const Mask& mask, const Doubles& yes, const Doubles& no) {
  return mask ? yes : no;
}
inline double select(bool mask, double yes, double no) {
  return mask ? yes : no;
}

template <class V>
V dot(const V* a, const V* b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

template <class V>
struct Distances {
  V vertex[3];
  V edge[3];  // ab, ac, bc; infinity unless the foot is inside
  V plane;    // infinity unless the foot is inside
  V t[3];     // foot on each edge
  V v, w;     // foot in the plane, weights of b and c
};

template <class V>
inline V square_on_edge(const V* p, const V* e, const V& inverse, V& t) {
  t = dot(p, e) * inverse;
  V r[3];
  for (int i = 0; i < 3; ++i) r[i] = p[i] - t * e[i];
  const V square = dot(r, r);
  const V never = V{} + infinity;
  return select((t > 0.0) & (t < 1.0), square, never);
}

template <class V>
inline void distances(const double* x, const V* a, const V* b, const V* c, const V* dual_b, const V* dual_c,
                      const V& inverse_ab, const V& inverse_ac, const V& inverse_bc, Distances<V>& out) {
  V ab[3];
  V ac[3];
  V bc[3];
  V ap[3];
  V bp[3];
  V cp[3];
  for (int i = 0; i < 3; ++i) {
    ab[i] = b[i] - a[i];
    ac[i] = c[i] - a[i];
    bc[i] = c[i] - b[i];
    ap[i] = x[i] - a[i];
    bp[i] = x[i] - b[i];
    cp[i] = x[i] - c[i];
  }
  out.vertex[0] = dot(ap, ap);
  out.vertex[1] = dot(bp, bp);
  out.vertex[2] = dot(cp, cp);
  out.edge[0] = square_on_edge(ap, ab, inverse_ab, out.t[0]);
  out.edge[1] = square_on_edge(ap, ac, inverse_ac, out.t[1]);
  out.edge[2] = square_on_edge(bp, bc, inverse_bc, out.t[2]);
  out.v = dot(ap, dual_b);
  out.w = dot(ap, dual_c);
  V r[3];
  for (int i = 0; i < 3; ++i) r[i] = ap[i] - out.v * ab[i] - out.w * ac[i];
  const V square = dot(r, r);
  const V never = V{} + infinity;
  out.plane = select((out.v > 0.0) & (out.w > 0.0) & (out.v + out.w < 1.0), square, never);
}

template <class V>
V smaller(const V& a, const V& b) {
  return select(a < b, a, b);
}

template <class V>
V smallest(const Distances<V>& d) {
  const V vertex = smaller(d.vertex[0], smaller(d.vertex[1], d.vertex[2]));
  const V edge = smaller(d.edge[0], smaller(d.edge[1], d.edge[2]));
  return smaller(d.plane, smaller(edge, vertex));
}

double area(const Eigen::AlignedBox3d& box) {
  const Eigen::Vector3d s = box.sizes();
  return s.x() * s.y() + s.y() * s.z() + s.x() * s.z();
}

std::uint32_t spread_bits(std::uint32_t v) {  // 10 bits to every third of 30
  v = (v | (v << 16U)) & 0x030000FFU;
  v = (v | (v << 8U)) & 0x0300F00FU;
  v = (v | (v << 4U)) & 0x030C30C3U;
  v = (v | (v << 2U)) & 0x09249249U;
  return v;
}

}  // namespace

struct ClosestPointIndex::Data {
  std::vector<Block> blocks;
  std::vector<Node> nodes;
  std::vector<int> slot;                          // face -> 8 · block + lane
  std::vector<std::array<std::int8_t, 3>> order;  // place in the face of its lowest, middle, highest vertex
  std::vector<Eigen::Vector3d> representative;    // a vertex of the face
  Eigen::Vector3d centre;
  double scale = 1;  // power of two that brings the mesh into [-2, 2]

  Doubles block_distances(std::size_t block, const double* x) const;
  std::pair<double, int> search(const Eigen::Vector3d& x, double bound) const;
};

inline Doubles ClosestPointIndex::Data::block_distances(std::size_t block, const double* x) const {
  const Block& k = blocks[block];
  Distances<Doubles> d;
  distances<Doubles>(x, k.a, k.b, k.c, k.dual_b, k.dual_c, k.inverse_ab, k.inverse_ac, k.inverse_bc, d);
  return smallest(d);
}

namespace {

struct Tree {
  struct Item {
    Eigen::AlignedBox3d box;
    int left = -1;
    int right = -1;
    int first = 0;
    int count = 0;
  };
  std::vector<Eigen::AlignedBox3d> boxes;  // by face
  std::vector<Eigen::Vector3d> centres;    // by face
  std::vector<int> faces;                  // in the order of the leaves
  std::vector<Item> items;

  // Splits at the median, rounded to full blocks, of the axis along which the centres spread most; equal
  // centres by face number, so that the tree is a function of the mesh.
  int split(int first, int count) {
    const int me = static_cast<int>(items.size());
    items.emplace_back();
    Eigen::AlignedBox3d box;
    Eigen::AlignedBox3d spread;
    for (int i = first; i < first + count; ++i) {
      const auto face = static_cast<std::size_t>(faces[static_cast<std::size_t>(i)]);
      box.extend(boxes[face]);
      spread.extend(centres[face]);
    }
    items.back() = {box, -1, -1, first, count};
    if (count <= lanes) return me;
    int axis = 0;
    spread.sizes().maxCoeff(&axis);
    const int half = ((count + lanes - 1) / lanes / 2) * lanes;
    const auto begin = faces.begin() + first;
    std::nth_element(begin, begin + half, begin + count, [&](int a, int b) {
      const double ca = centres[static_cast<std::size_t>(a)](axis);
      const double cb = centres[static_cast<std::size_t>(b)](axis);
      return ca != cb ? ca < cb : a < b;
    });
    const int left = split(first, half);
    const int right = split(first + half, count - half);
    items[static_cast<std::size_t>(me)].left = left;
    items[static_cast<std::size_t>(me)].right = right;
    return me;
  }
};

}  // namespace

ClosestPointIndex::ClosestPointIndex(const Points& vertices, const Eigen::MatrixXi& faces) {
  auto data = std::make_shared<Data>();
  const auto face_count = static_cast<std::size_t>(faces.cols());
  const Eigen::Vector3d low = vertices.rowwise().minCoeff();
  const Eigen::Vector3d high = vertices.rowwise().maxCoeff();
  data->centre = low + (high - low) / 2;
  data->scale = std::ldexp(1.0, -std::ilogb((high - low).maxCoeff() / 2));

  Tree tree;
  tree.faces.resize(face_count);
  std::iota(tree.faces.begin(), tree.faces.end(), 0);
  data->order.resize(face_count);
  data->slot.resize(face_count);
  for (Index f = 0; f < faces.cols(); ++f) {
    Eigen::AlignedBox3d box;
    for (int i = 0; i < 3; ++i) box.extend(Eigen::Vector3d(vertices.col(faces(i, f))));
    tree.boxes.push_back(box);
    tree.centres.push_back(box.center());
    std::array<std::int8_t, 3> order = {0, 1, 2};
    std::sort(order.begin(), order.end(), [&](int a, int b) { return faces(a, f) < faces(b, f); });
    data->order[static_cast<std::size_t>(f)] = order;
    data->representative.emplace_back(vertices.col(faces(0, f)));
  }
  tree.items.reserve(face_count);
  tree.split(0, static_cast<int>(face_count));

  const auto add_block = [&](const Tree::Item& leaf) {
    Block block{};
    for (int lane = 0; lane < lanes; ++lane) {
      // Spare lanes repeat the last triangle.
      const int face = tree.faces[static_cast<std::size_t>(leaf.first + std::min(lane, leaf.count - 1))];
      const auto& order = data->order[static_cast<std::size_t>(face)];
      const Eigen::Vector3d a = vertices.col(faces(order[0], face));
      const Eigen::Vector3d b = vertices.col(faces(order[1], face));
      const Eigen::Vector3d c = vertices.col(faces(order[2], face));
      const Eigen::Vector3d ab = b - a;
      const Eigen::Vector3d ac = c - a;
      const Eigen::Vector3d bc = c - b;
      const double determinant = ab.cross(ac).squaredNorm();
      const Eigen::Vector3d dual_b = (ac.squaredNorm() * ab - ab.dot(ac) * ac) / determinant;
      const Eigen::Vector3d dual_c = (ab.squaredNorm() * ac - ab.dot(ac) * ab) / determinant;
      for (int i = 0; i < 3; ++i) {
        block.a[i][lane] = a(i);
        block.b[i][lane] = b(i);
        block.c[i][lane] = c(i);
        block.dual_b[i][lane] = dual_b(i);
        block.dual_c[i][lane] = dual_c(i);
      }
      block.inverse_ab[lane] = 1 / ab.squaredNorm();
      block.inverse_ac[lane] = 1 / ac.squaredNorm();
      block.inverse_bc[lane] = 1 / bc.squaredNorm();
      block.face[lane] = face;
      if (lane < leaf.count) {
        data->slot[static_cast<std::size_t>(face)] = static_cast<int>(data->blocks.size()) * lanes + lane;
      }
    }
    data->blocks.push_back(block);
    return ~static_cast<int>(data->blocks.size() - 1);
  };

  // Eight children a node: opens the largest box of the frontier until there are eight.
  const auto add_node = [&](const auto& self, int root) -> int {
    const auto me = data->nodes.size();
    data->nodes.emplace_back();
    std::vector<int> frontier = {root};
    while (frontier.size() < lanes) {
      int best = -1;
      double best_area = -1;
      for (int i = 0; i < static_cast<int>(frontier.size()); ++i) {
        const Tree::Item& item = tree.items[static_cast<std::size_t>(frontier[static_cast<std::size_t>(i)])];
        if (item.left >= 0 && area(item.box) > best_area) {
          best = i;
          best_area = area(item.box);
        }
      }
      if (best < 0) break;
      const Tree::Item& opened = tree.items[static_cast<std::size_t>(frontier[static_cast<std::size_t>(best)])];
      frontier[static_cast<std::size_t>(best)] = opened.left;
      frontier.insert(frontier.begin() + best + 1, opened.right);
    }
    for (int i = 0; i < lanes; ++i) {
      Eigen::Vector3f box_low = Eigen::Vector3f::Constant(infinity_f);  // an absent child is infinitely far
      Eigen::Vector3f box_high = Eigen::Vector3f::Constant(infinity_f);
      int child = 0;
      if (i < static_cast<int>(frontier.size())) {
        const int item = frontier[static_cast<std::size_t>(i)];
        const Tree::Item& it = tree.items[static_cast<std::size_t>(item)];
        const Eigen::Vector3d pad = Eigen::Vector3d::Constant(padding);
        box_low = ((it.box.min() - data->centre) * data->scale - pad).cast<float>();
        box_high = ((it.box.max() - data->centre) * data->scale + pad).cast<float>();
        child = it.left < 0 ? add_block(it) : self(self, item);
      }
      Node& node = data->nodes[me];
      for (int axis = 0; axis < 3; ++axis) {
        node.low[axis][i] = box_low(axis);
        node.high[axis][i] = box_high(axis);
      }
      node.child[i] = child;
    }
    return static_cast<int>(me);
  };
  add_node(add_node, 0);
  data_ = std::move(data);
}

// Depth first, nearest box first. \p bound: a squared distance that the answer is known not to exceed.
std::pair<double, int> ClosestPointIndex::Data::search(const Eigen::Vector3d& x, double bound) const {
  struct Entry {
    float square;
    int child;
  };
  const double to_float_units = scale * scale * slack;
  const auto cut_at = [&](double square) { return static_cast<float>(square * to_float_units); };
  float query[3];
  for (int axis = 0; axis < 3; ++axis) query[axis] = static_cast<float>((x(axis) - centre(axis)) * scale);

  double best = bound;
  int best_face = no_face;
  float cut = cut_at(best);
  // Each level leaves at most seven entries behind; 2^31 faces are fewer than 27 binary levels.
  std::array<Entry, 7 * 32 + 8> stack;
  std::size_t size = 0;
  stack[size++] = {0.0F, 0};
  while (size > 0) {
    const Entry entry = stack[--size];
    if (entry.square > cut) continue;
    if (entry.child < 0) {
      const auto number = static_cast<std::size_t>(~entry.child);
      const Doubles square = block_distances(number, x.data());
      const Block& block = blocks[number];
      for (int i = 0; i < lanes; ++i) {
        if (square[i] < best || (square[i] == best && block.face[i] < best_face)) {
          best = square[i];
          best_face = block.face[i];
        }
      }
      cut = cut_at(best);
      continue;
    }
    const Node& node = nodes[static_cast<std::size_t>(entry.child)];
    Floats square{};
    for (int axis = 0; axis < 3; ++axis) {
      const Floats below = node.low[axis] - query[axis];
      const Floats above = query[axis] - node.high[axis];
      Floats outside = below > above ? below : above;
      outside = outside > 0.0F ? outside : Floats{};
      square += outside * outside;
    }
    const Ints near = square <= cut;
    const std::size_t base = size;
    for (int i = 0; i < lanes; ++i) {
      if (near[i] == 0) continue;
      if (node.low[0][i] == infinity_f) break;  // no more children
      const Entry child = {square[i], node.child[i]};
      std::size_t place = size++;
      for (; place > base && stack[place - 1].square < child.square; --place) stack[place] = stack[place - 1];
      stack[place] = child;
    }
  }
  return {best, best_face};
}

int ClosestPointIndex::nearest_face(const Eigen::Vector3d& x) const {
  if (!(x.cwiseAbs().maxCoeff<Eigen::PropagateNaN>() <= largest_coordinate)) return -1;
  return data_->search(x, infinity).second;
}

Eigen::VectorXi ClosestPointIndex::nearest_faces(const PointsRef& x) const {
  const Data& data = *data_;
  Eigen::VectorXi result = Eigen::VectorXi::Constant(x.cols(), -1);
  std::vector<std::pair<std::uint32_t, Index>> visits;
  visits.reserve(static_cast<std::size_t>(x.cols()));
  for (Index j = 0; j < x.cols(); ++j) {
    std::uint32_t key = 0;
    bool usable = true;
    for (int axis = 0; axis < 3; ++axis) {
      usable = usable && std::abs(x(axis, j)) <= largest_coordinate;
      if (!usable) break;
      const double cell = std::clamp(((x(axis, j) - data.centre(axis)) * data.scale + 2.5) * 204.8, 0.0, 1023.0);
      key |= spread_bits(static_cast<std::uint32_t>(cell)) << static_cast<unsigned>(axis);
    }
    if (usable) visits.emplace_back(key, j);
  }
  std::sort(visits.begin(), visits.end());
  int previous = -1;
  for (const auto& [key, j] : visits) {
    const Eigen::Vector3d point = x.col(j);
    double bound = infinity;
    if (previous >= 0) {
      // A vertex of the last answer bounds this one. The factor is for rounding only: the search still has to
      // find its own minimum, so the bound changes the time and not the answer.
      bound = (point - data.representative[static_cast<std::size_t>(previous)]).squaredNorm() * (1 + 1e-12);
      if (bound == 0) bound = std::numeric_limits<double>::min();
    }
    previous = data.search(point, bound).second;
    result(j) = previous;
  }
  return result;
}

TrianglePoint ClosestPointIndex::evaluate(const Eigen::Vector3d& x, Index face) const {
  const int slot = data_->slot[static_cast<std::size_t>(face)];
  const auto number = static_cast<std::size_t>(slot / lanes);
  const int lane = slot % lanes;
  const Block& k = data_->blocks[number];
  const auto pick = [lane](const Doubles* v) { return std::array<double, 3>{v[0][lane], v[1][lane], v[2][lane]}; };
  Distances<double> d;
  distances<double>(x.data(), pick(k.a).data(), pick(k.b).data(), pick(k.c).data(), pick(k.dual_b).data(),
                    pick(k.dual_c).data(), k.inverse_ab[lane], k.inverse_ac[lane], k.inverse_bc[lane], d);
  const double square = smallest(d);
  Eigen::Vector3d sorted;  // weights of the vertices by number; a vertex before an edge before the plane
  if (square == d.vertex[0]) {
    sorted = {1, 0, 0};
  } else if (square == d.vertex[1]) {
    sorted = {0, 1, 0};
  } else if (square == d.vertex[2]) {
    sorted = {0, 0, 1};
  } else if (square == d.edge[0]) {
    sorted = {1 - d.t[0], d.t[0], 0};
  } else if (square == d.edge[1]) {
    sorted = {1 - d.t[1], 0, d.t[1]};
  } else if (square == d.edge[2]) {
    sorted = {0, 1 - d.t[2], d.t[2]};
  } else {
    sorted = {1 - d.v - d.w, d.v, d.w};
  }
  TrianglePoint result{square, Eigen::Vector3d::Zero()};
  const auto& order = data_->order[static_cast<std::size_t>(face)];
  for (int i = 0; i < 3; ++i) result.barycentric(order[static_cast<std::size_t>(i)]) = sorted(i);
  return result;
}

}  // namespace onmanifold
