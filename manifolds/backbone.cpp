// SPDX-License-Identifier: Apache-2.0
#include "manifolds/backbone.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <Eigen/Geometry>
#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

// Eight chains at once, whatever the machine: the compiler splits them into the registers it has. Every chain
// goes through the same operations in its own lane, so its bits do not depend on its neighbours.
constexpr Index lanes = 8;
using Lane = double __attribute__((vector_size(8 * lanes)));
using Mask = long long __attribute__((vector_size(8 * lanes)));
using Lanes = std::vector<Lane>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double feasible = 1e-10;  // Å², of |x_b - x_a|^2 - l^2
constexpr int most_gauss_newton_steps = 50;
constexpr int most_refinement_steps = 40;
constexpr int most_conjugate_gradients = 40;
constexpr int most_halvings = 12;
constexpr int most_return_steps = 8;
constexpr double largest_coordinate = 1e12;  // squares of squares stay finite

Lane all(double value) {
  return Lane{} + value;
}
bool any(const Mask& mask) {
  for (Index l = 0; l < lanes; ++l)
    if (mask[l] != 0) return true;
  return false;
}
Lane square_root(const Lane& x) {
  Lane result;
  for (Index l = 0; l < lanes; ++l) result[l] = std::sqrt(x[l]);
  return result;
}
Lane absolute(const Lane& x) {
  return x < 0 ? -x : x;
}
Lane dot(const Lane* a, const Lane* b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
Lane dot(const Lanes& a, const Lanes& b) {
  Lane sum{};
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Constraint c of a chain: c = 2i is the bond b_i of atoms i, i + 1, and c = 2i + 1 the span d_i of atoms i,
// i + 2.
constexpr Index first_atom(Index c) {
  return c / 2;
}
constexpr Index second_atom(Index c) {
  return c / 2 + 1 + c % 2;
}

// A pack of eight chains with the band of its J J^T. Fixed atoms have no rows in J; constraints between fixed
// atoms have no columns and a unit row in the band, which leaves the other blocks alone.
class Pack {
 public:
  Pack(Index residues, const BackboneGeometry& geometry, BackboneFrame frame)
      : atoms_(3 * residues), constraints_(6 * residues - 3) {
    moves_.assign(static_cast<std::size_t>(atoms_), 1.0);
    frame_first_ = 3 * middle_residue(residues);
    held_ = frame == BackboneFrame::middle;
    if (held_) {
      frame_ = middle_frame_atoms(geometry);
      for (Index a = 0; a < 3; ++a) moves_[static_cast<std::size_t>(frame_first_ + a)] = 0;
    }
    const auto size = static_cast<std::size_t>(constraints_);
    squares_.resize(size);
    for (Index c = 0; c < constraints_; ++c) {
      const double length = c % 2 == 0 ? geometry.bond(c / 2) : geometry.span(c / 2);
      squares_[static_cast<std::size_t>(c)] = length * length;
    }
    difference_.resize(3 * size);
    residual_.resize(size);
    band_.resize(4 * (size + 8), Lane{});
    inverse_.resize(size);
    multiplier_.resize(size);
  }

  [[nodiscard]] Index atoms() const { return atoms_; }
  [[nodiscard]] Index constraints() const { return constraints_; }
  [[nodiscard]] bool moves(Index atom) const { return moves_[static_cast<std::size_t>(atom)] != 0; }
  [[nodiscard]] bool active(Index c) const { return moves(first_atom(c)) || moves(second_atom(c)); }
  [[nodiscard]] double square(Index c) const { return squares_[static_cast<std::size_t>(c)]; }
  [[nodiscard]] Lanes coordinates() const { return Lanes(static_cast<std::size_t>(3 * atoms_)); }
  [[nodiscard]] const Lane* difference(Index c) const {
    return &difference_[static_cast<std::size_t>(3 * c)];
  }

  // Columns begin … begin + lanes - 1 of \p x; lanes beyond the last column repeat it. Fixed atoms get \p
  // fixed times their place.
  void load(const PointsRef& x, Index begin, double fixed, Lanes& out) const {
    for (Index l = 0; l < lanes; ++l) {
      const double* column = x.col(std::min(begin + l, x.cols() - 1)).data();
      for (Index a = 0; a < atoms_; ++a) {
        for (Index i = 0; i < 3; ++i) {
          Lane& place = out[static_cast<std::size_t>(3 * a + i)];
          place[l] = moves(a) ? *column++ : fixed * frame_(3 * (a - frame_first_) + i);
        }
      }
    }
  }
  void store(const Lanes& in, Index lane, double* column) const {
    for (Index a = 0; a < atoms_; ++a) {
      if (!moves(a)) continue;
      for (Index i = 0; i < 3; ++i) *column++ = in[static_cast<std::size_t>(3 * a + i)][lane];
    }
  }

  // Difference vectors of all constraints at x: what J is made of.
  void set_point(const Lanes& x) {
    for (Index c = 0; c < constraints_; ++c) {
      const Lane* from = &x[static_cast<std::size_t>(3 * first_atom(c))];
      const Lane* to = &x[static_cast<std::size_t>(3 * second_atom(c))];
      Lane* out = &difference_[static_cast<std::size_t>(3 * c)];
      for (Index i = 0; i < 3; ++i) out[i] = to[i] - from[i];
    }
  }

  // r_c = (|x_b - x_a|^2 - l^2) / 2 at the point; returns the largest 2 |r_c|, NaN if there is one.
  Lane set_residuals() {
    Lane worst{};
    Lane sum{};
    for (Index c = 0; c < constraints_; ++c) {
      const Lane* v = difference(c);
      const Lane r = (dot(v, v) - square(c)) * (active(c) ? 0.5 : 0.0);
      residual_[static_cast<std::size_t>(c)] = r;
      const Lane size = absolute(r);
      worst = size > worst ? size : worst;
      sum += size;
    }
    return 2 * worst + (sum - sum);
  }
  [[nodiscard]] const Lanes& residuals() const { return residual_; }

  // J J^T = L D L^T at the point.
  void factor() {
    Lane inverse1{};  // 1 / pivot of constraint c - 1
    Lane inverse2{};
    Lane inverse3{};
    Lane inverse4{};
    for (Index c = 0; c < constraints_; ++c) {
      Lane g[5];  // g[t]: entry with constraint c - t
      const Index i = c / 2;
      const Lane* v = difference(c);
      const double weight =
          moves_[static_cast<std::size_t>(first_atom(c))] + moves_[static_cast<std::size_t>(second_atom(c))];
      g[0] = weight * dot(v, v) + (weight == 0 ? 1.0 : 0.0);
      g[1] = g[2] = g[3] = g[4] = Lane{};
      const double start = moves_[static_cast<std::size_t>(i)];
      if (c % 2 == 0) {
        if (c >= 1) g[1] = moves_[static_cast<std::size_t>(i + 1)] * dot(v, difference(c - 1));
        if (c >= 2) g[2] = -start * dot(v, difference(c - 2));
        if (c >= 3) g[3] = -start * dot(v, difference(c - 3));
      } else {
        g[1] = start * dot(v, difference(c - 1));
        if (c >= 3) g[3] = -start * dot(v, difference(c - 3));
        if (c >= 4) g[4] = -start * dot(v, difference(c - 4));
      }
      // Row c of L, from the entry farthest from the diagonal; w = l d. Rows before the first are zero.
      const Lane* one = row(c - 1);
      const Lane* two = row(c - 2);
      const Lane* three = row(c - 3);
      const Lane w4 = g[4];
      const Lane w3 = g[3] - w4 * three[0];
      const Lane w2 = g[2] - w4 * two[1] - w3 * two[0];
      const Lane w1 = g[1] - w4 * one[2] - w3 * one[1] - w2 * one[0];
      Lane* out = row(c);
      out[3] = w4 * inverse4;
      out[2] = w3 * inverse3;
      out[1] = w2 * inverse2;
      out[0] = w1 * inverse1;
      inverse4 = inverse3;
      inverse3 = inverse2;
      inverse2 = inverse1;
      inverse1 = 1.0 / (g[0] - w4 * out[3] - w3 * out[2] - w2 * out[1] - w1 * out[0]);
      inverse_[static_cast<std::size_t>(c)] = inverse1;
    }
  }

  // z <- L^-1 z
  void solve_lower(Lanes& z) const {
    Lane z1{};
    Lane z2{};
    Lane z3{};
    Lane z4{};
    for (Index c = 0; c < constraints_; ++c) {
      const Lane* l = row(c);
      const Lane value = z[static_cast<std::size_t>(c)] - l[3] * z4 - l[2] * z3 - l[1] * z2 - l[0] * z1;
      z[static_cast<std::size_t>(c)] = value;
      z4 = z3;
      z3 = z2;
      z2 = z1;
      z1 = value;
    }
  }
  // z <- L^-T z, for z that is zero beyond constraint \p last
  void solve_upper(Lanes& z, Index last) const {
    Lane z1{};
    Lane z2{};
    Lane z3{};
    Lane z4{};
    for (Index c = last; c >= 0; --c) {
      const Lane value = z[static_cast<std::size_t>(c)] - row(c + 4)[3] * z4 - row(c + 3)[2] * z3 -
                         row(c + 2)[1] * z2 - row(c + 1)[0] * z1;
      z[static_cast<std::size_t>(c)] = value;
      z4 = z3;
      z3 = z2;
      z2 = z1;
      z1 = value;
    }
  }
  void solve(Lanes& z) const {
    solve_lower(z);
    for (std::size_t c = 0; c < z.size(); ++c) z[c] *= inverse_[c];
    solve_upper(z, constraints_ - 1);
  }
  [[nodiscard]] const Lanes& inverse_pivots() const { return inverse_; }

  // out = J u, for u that is zero at fixed atoms.
  void apply(const Lanes& u, Lanes& out) const {
    for (Index c = 0; c < constraints_; ++c) {
      const Lane* from = &u[static_cast<std::size_t>(3 * first_atom(c))];
      const Lane* to = &u[static_cast<std::size_t>(3 * second_atom(c))];
      const Lane* v = difference(c);
      out[static_cast<std::size_t>(c)] =
          v[0] * (to[0] - from[0]) + v[1] * (to[1] - from[1]) + v[2] * (to[2] - from[2]);
    }
  }
  // out += factor · J^T z
  void add_transposed(const Lanes& z, const Lane& factor, Lanes& out) const {
    for (Index a = 0; a < atoms_; ++a) {
      Lane sum[3] = {};
      const auto add = [&](Index c, double sign) {
        const Lane* v = difference(c);
        const Lane f = sign * z[static_cast<std::size_t>(c)];
        for (Index i = 0; i < 3; ++i) sum[i] += f * v[i];
      };
      if (a >= 2) add(2 * a - 3, 1);
      if (a >= 1) add(2 * a - 2, 1);
      if (a + 1 < atoms_) add(2 * a, -1);
      if (a + 2 < atoms_) add(2 * a + 1, -1);
      const Lane f = factor * moves_[static_cast<std::size_t>(a)];
      for (Index i = 0; i < 3; ++i) out[static_cast<std::size_t>(3 * a + i)] += f * sum[i];
    }
  }
  // u <- u minus its normal part at the point; the multipliers of that part stay in multipliers().
  void make_tangent(Lanes& u) {
    apply(u, multiplier_);
    solve(multiplier_);
    add_transposed(multiplier_, all(-1), u);
  }
  [[nodiscard]] const Lanes& multipliers() const { return multiplier_; }

  // out = (I + sum_c z_c (b - a)(b - a)^T) u: the Hessian of the Lagrangian with multipliers z.
  void apply_hessian(const Lanes& z, const Lanes& u, Lanes& out) const {
    for (Index a = 0; a < atoms_; ++a) {
      const Lane* own = &u[static_cast<std::size_t>(3 * a)];
      Lane sum[3] = {};
      const auto add = [&](Index c, Index other) {
        const Lane* there = &u[static_cast<std::size_t>(3 * other)];
        const Lane f = z[static_cast<std::size_t>(c)];
        for (Index i = 0; i < 3; ++i) sum[i] += f * (own[i] - there[i]);
      };
      if (a >= 2) add(2 * a - 3, a - 2);
      if (a >= 1) add(2 * a - 2, a - 1);
      if (a + 1 < atoms_) add(2 * a, a + 1);
      if (a + 2 < atoms_) add(2 * a + 1, a + 2);
      const double moved = moves_[static_cast<std::size_t>(a)];
      for (Index i = 0; i < 3; ++i) {
        out[static_cast<std::size_t>(3 * a + i)] = own[i] + moved * sum[i];
      }
    }
  }

  // Whether I + sum_c z_c (b - a)(b - a)^T is positive definite: a band of half-bandwidth 2 over the atoms.
  [[nodiscard]] Mask convex(const Lanes& z) const {
    std::vector<Lane> diagonal(static_cast<std::size_t>(atoms_), all(1));
    for (Index c = 0; c < constraints_; ++c) {
      if (!active(c)) continue;
      diagonal[static_cast<std::size_t>(first_atom(c))] += z[static_cast<std::size_t>(c)];
      diagonal[static_cast<std::size_t>(second_atom(c))] += z[static_cast<std::size_t>(c)];
    }
    Mask result = ~Mask{};
    Lane l1{};        // L(a-1, a-2)
    Lane inverse1{};  // 1 / pivot of atom a - 1
    Lane inverse2{};  // of atom a - 2
    for (Index a = 0; a < atoms_; ++a) {
      // Atoms that do not move are unit rows without couplings.
      const auto coupling = [&](Index back) {
        if (a < back || !moves(a) || !moves(a - back)) return Lane{};
        return -z[static_cast<std::size_t>(2 * (a - back) + back - 1)];
      };
      const Lane w2 = coupling(2);
      const Lane w1 = coupling(1) - w2 * l1;
      Lane pivot = moves(a) ? diagonal[static_cast<std::size_t>(a)] : all(1);
      pivot -= w2 * w2 * inverse2 + w1 * w1 * inverse1;
      result &= pivot > all(1e-12);
      l1 = w1 * inverse1;
      inverse2 = inverse1;
      inverse1 = 1.0 / pivot;
    }
    return result;
  }

 private:
  // Row c of L, entry t back at t - 1. Four rows of zeros before and behind: c from -4 on.
  [[nodiscard]] Lane* row(Index c) { return &band_[static_cast<std::size_t>(4 * (c + 4))]; }
  [[nodiscard]] const Lane* row(Index c) const { return &band_[static_cast<std::size_t>(4 * (c + 4))]; }

  Index atoms_;
  Index constraints_;
  bool held_ = false;
  Index frame_first_ = 0;
  Vector frame_ = Vector::Zero(9);
  std::vector<double> moves_;    // 1: the atom is a variable, 0: it is held
  std::vector<double> squares_;  // l^2
  Lanes difference_;
  Lanes residual_;
  Lanes band_;
  Lanes inverse_;
  Lanes multiplier_;
};

// Gauss–Newton on the lanes of \p wanted, up to \p most steps each; counts steps and returns who arrived. The
// step after the bound was met takes the quadratic convergence down to rounding and is not counted.
Mask gauss_newton(Pack& pack, Lanes& x, const Mask& wanted, int most, Lane& steps) {
  Mask running = wanted;
  Mask arrived{};
  Lanes z(static_cast<std::size_t>(pack.constraints()));
  for (int step = 0; any(running); ++step) {
    pack.set_point(x);
    const Lane worst = pack.set_residuals();
    const Mask good = worst <= all(feasible);
    // NaN and what has left every bound: neither can come back.
    const Mask lost = ~(worst <= all(1e30));
    const Mask last = step >= most ? ~Mask{} : Mask{};
    const Mask moving = running & ~lost & (good | ~last);
    pack.factor();
    z = pack.residuals();
    pack.solve(z);
    pack.add_transposed(z, moving ? all(-1) : Lane{}, x);
    arrived |= running & good;
    running = moving & ~good;
    steps += running ? all(1) : Lane{};
  }
  return arrived;
}

struct Refinement {
  Mask converged;
  Lane steps;
};

// Newton's method on M for min |x - y|^2 / 2 from the point x of M, on the lanes of \p wanted.
Refinement refine(Pack& pack, const Lanes& y, Lanes& x, const Mask& wanted, Lanes& multipliers) {
  Refinement result{Mask{}, Lane{}};
  Mask running = wanted;
  const Lane rounding = 8 * epsilon * square_root(dot(x, x));
  Lanes g = pack.coordinates();
  Lanes direction = g;
  Lanes image = g;
  Lanes step = g;
  Lanes rest = g;
  Lanes trial = g;
  Lanes next = g;
  Lanes lambda(static_cast<std::size_t>(pack.constraints()));
  for (int outer = 0;; ++outer) {
    // g = P_T (x - y) = x - y + J^T lambda
    pack.set_point(x);
    pack.factor();
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = x[i] - y[i];
    const Lane distance2 = dot(g, g);
    pack.make_tangent(g);
    for (std::size_t c = 0; c < lambda.size(); ++c) lambda[c] = -pack.multipliers()[c];
    const Lane g2 = dot(g, g);
    const Lane bound = 1e-10 * square_root(distance2) + rounding;
    const Mask done = running & (g2 <= bound * bound);
    for (std::size_t c = 0; c < lambda.size(); ++c) multipliers[c] = done ? lambda[c] : multipliers[c];
    result.converged |= done;
    running &= ~done;
    if (outer == most_refinement_steps || !any(running)) return result;
    result.steps += running ? all(1) : Lane{};

    // (P_T H P_T) step = -g by conjugate gradients, as long as the curvature is positive.
    for (std::size_t i = 0; i < g.size(); ++i) {
      step[i] = Lane{};
      rest[i] = -g[i];
      direction[i] = -g[i];
    }
    Lane rest2 = g2;
    const Lane norm = square_root(g2);
    const Lane accuracy = norm < 0.1 ? norm : all(0.1);
    // No more than convergence asks for: further down rounding makes directions that are not tangent.
    const Lane wanted2 = accuracy * accuracy * g2;
    const Lane least2 = 0.01 * bound * bound;
    const Lane enough = wanted2 > least2 ? wanted2 : least2;
    Mask solving = running;
    for (int inner = 0; inner < most_conjugate_gradients && any(solving); ++inner) {
      pack.apply_hessian(lambda, direction, image);
      pack.make_tangent(image);
      const Lane curvature = dot(direction, image);
      const Mask convex = curvature > 1e-6 * dot(direction, direction);
      if (inner == 0) {
        // Downhill at least: the negative gradient itself.
        for (std::size_t i = 0; i < g.size(); ++i) step[i] = solving & ~convex ? direction[i] : step[i];
      }
      solving &= convex;
      const Lane length = solving ? rest2 / curvature : Lane{};
      for (std::size_t i = 0; i < g.size(); ++i) {
        step[i] += length * direction[i];
        rest[i] -= length * image[i];
      }
      const Lane now = dot(rest, rest);
      solving &= now > enough;
      const Lane ratio = solving ? now / rest2 : Lane{};
      for (std::size_t i = 0; i < g.size(); ++i) {
        direction[i] = solving ? rest[i] + ratio * direction[i] : direction[i];
      }
      rest2 = solving ? now : rest2;
    }

    // The way back to M, with half the step as long as it does not come nearer.
    const Lane slope = dot(g, step);
    // What rounding of x makes of |x - y|^2 / 2.
    const Lane slack = rounding * (square_root(distance2) + rounding);
    Mask searching = running;
    Lane length = all(1);
    for (int halving = 0; halving < most_halvings && any(searching); ++halving) {
      for (std::size_t i = 0; i < g.size(); ++i) trial[i] = x[i] + length * step[i];
      Lane unused{};
      const Mask back = gauss_newton(pack, trial, searching, most_return_steps, unused);
      Lane trial2{};
      for (std::size_t i = 0; i < g.size(); ++i) trial2 += (trial[i] - y[i]) * (trial[i] - y[i]);
      const Mask good = searching & back & (0.5 * trial2 <= 0.5 * distance2 + 1e-4 * length * slope + slack);
      for (std::size_t i = 0; i < g.size(); ++i) next[i] = good ? trial[i] : next[i];
      searching &= ~good;
      length *= 0.5;
    }
    running &= ~searching;
    for (std::size_t i = 0; i < g.size(); ++i) x[i] = running ? next[i] : x[i];
  }
}

// A lower bound of the reach; see the class comment. Forces are F = J^T mu, |F| = 1. The torque about atom i
// + 1 of the forces on one side of it is carried by d_i alone, whose line passes it at 2 area / |d|; then the
// sum of the forces gives b_i.
double reach_bound(Index residues, const BackboneGeometry& geometry, BackboneFrame frame) {
  const Index atoms = 3 * residues;
  const Pack pack(residues, geometry, frame);
  // Farthest that atoms k bonds apart can be, by the longest of the three starts: bonds and spans along the
  // chain.
  std::vector<double> farthest(static_cast<std::size_t>(atoms), 0.0);
  double bond = 0;
  double span = 0;
  for (Index i = 0; i < 3; ++i) {
    bond = std::max(bond, geometry.bond(i));
    span = std::max(span, geometry.span(i));
  }
  std::vector<double> lever(static_cast<std::size_t>(atoms),
                            0.0);  // root of the sum of squares of the first k
  for (Index k = 1; k < atoms; ++k) {
    farthest[static_cast<std::size_t>(k)] =
        static_cast<double>(k / 2) * span + static_cast<double>(k % 2) * bond;
    lever[static_cast<std::size_t>(k)] =
        std::hypot(lever[static_cast<std::size_t>(k - 1)], farthest[static_cast<std::size_t>(k)]);
  }
  // Number of atoms beyond atom j on the side that the forces are counted on.
  const Index middle = 3 * middle_residue(residues);
  const auto outside = [&](Index left, Index right) {  // atoms up to left | from right on
    const Index before = left + 1;
    const Index after = atoms - right;
    if (frame == BackboneFrame::free) return std::min(before, after);
    return right > middle + 2 ? after : before;
  };
  std::vector<double> bound(static_cast<std::size_t>(pack.constraints()), 0.0);
  for (Index i = 0; i + 2 < atoms; ++i) {
    if (!pack.active(2 * i + 1)) continue;
    const double area2 = geometry.bond(i) * geometry.bond(i + 1) * std::sin(geometry.angle(i));
    bound[static_cast<std::size_t>(2 * i + 1)] = lever[static_cast<std::size_t>(outside(i, i + 2))] / area2;
  }
  for (Index i = 0; i + 1 < atoms; ++i) {
    if (!pack.active(2 * i)) continue;
    // b_i e + d_{i-1} f + d_i f' is the sum of the forces outside; along e.
    double size = std::sqrt(static_cast<double>(outside(i, i + 1)));
    if (i >= 1) {
      const double along = geometry.bond(i) - geometry.bond(i - 1) * std::cos(geometry.angle(i - 1));
      size += along * bound[static_cast<std::size_t>(2 * i - 1)];
    }
    if (i + 2 < atoms) {
      const double along = geometry.bond(i) - geometry.bond(i + 1) * std::cos(geometry.angle(i));
      size += along * bound[static_cast<std::size_t>(2 * i + 1)];
    }
    bound[static_cast<std::size_t>(2 * i)] = size / geometry.bond(i);
  }
  // mu · q(w) <= the largest eigenvalue of the Laplacian with weights |mu|, itself at most twice the largest
  // sum of weights at an atom.
  std::vector<double> weights(static_cast<std::size_t>(atoms), 0.0);
  for (Index c = 0; c < pack.constraints(); ++c) {
    weights[static_cast<std::size_t>(first_atom(c))] += bound[static_cast<std::size_t>(c)];
    weights[static_cast<std::size_t>(second_atom(c))] += bound[static_cast<std::size_t>(c)];
  }
  return 1 / (2 * *std::max_element(weights.begin(), weights.end()));
}

}  // namespace

Backbone::Backbone(Index residues, BackboneGeometry geometry, BackboneFrame frame)
    : residues_(residues), geometry_(std::move(geometry)), frame_(frame) {
  if (residues < 2 || residues > 10000) {
    throw InvalidInput(fmt::format("backbone: residues = {} must be from 2 to 10000", residues));
  }
  reach_ = reach_bound(residues_, geometry_, frame_);
}

Index Backbone::do_ambient_dimension() const {
  return frame_ == BackboneFrame::free ? 9 * residues_ : 9 * (residues_ - 1);
}

Index Backbone::do_dimension() const {
  return frame_ == BackboneFrame::free ? 3 * residues_ + 3 : 3 * residues_ - 3;
}

std::string Backbone::do_spec() const {
  return fmt::format("backbone:residues={},geometry={}{}", residues_, geometry_.name,
                     frame_ == BackboneFrame::free ? "" : ",frame=middle");
}

BackboneProjection Backbone::project_with_report(const PointsRef& x, bool refined) const {
  BackboneProjection report;
  report.projection.points = x;
  report.projection.distance = Vector::Constant(x.cols(), nan);
  report.projection.converged = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(x.cols(), false);
  report.gauss_newton_steps = Eigen::VectorXi::Zero(x.cols());
  report.refinement_steps = Eigen::VectorXi::Zero(x.cols());
  report.refinement_distance = Vector::Constant(x.cols(), nan);
  report.certified = report.projection.converged;
  check_dimension(x, ambient_dimension(), "backbone");

  Pack pack(residues_, geometry_, frame_);
  Lanes y = pack.coordinates();
  Lanes landed = y;
  Lanes nearest = y;
  Lanes multipliers(static_cast<std::size_t>(pack.constraints()));
  for (Index begin = 0; begin < x.cols(); begin += lanes) {
    const Index count = std::min(lanes, x.cols() - begin);
    pack.load(x, begin, 1, y);
    Mask wanted{};
    for (Index l = 0; l < count; ++l) {
      const auto column = x.col(begin + l);
      wanted[l] = column.allFinite() && column.cwiseAbs().maxCoeff() < largest_coordinate ? -1 : 0;
    }
    landed = y;
    Lane steps{};
    Mask converged = gauss_newton(pack, landed, wanted, most_gauss_newton_steps, steps);
    nearest = landed;
    Refinement refinement{converged, Lane{}};
    Mask certified{};
    if (refined) {
      refinement = refine(pack, y, nearest, converged, multipliers);
      converged = refinement.converged;
      certified = converged & pack.convex(multipliers);
    }
    for (Index l = 0; l < count; ++l) {
      report.gauss_newton_steps(begin + l) = static_cast<int>(steps[l]);
      report.refinement_steps(begin + l) = static_cast<int>(refinement.steps[l]);
      report.certified(begin + l) = certified[l] != 0;
      if (converged[l] == 0) continue;
      report.projection.converged(begin + l) = true;
      pack.store(nearest, l, report.projection.points.col(begin + l).data());
      double moved = 0;
      double apart = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        moved += (nearest[i][l] - y[i][l]) * (nearest[i][l] - y[i][l]);
        apart += (nearest[i][l] - landed[i][l]) * (nearest[i][l] - landed[i][l]);
      }
      report.projection.distance(begin + l) = std::sqrt(moved);
      report.refinement_distance(begin + l) = std::sqrt(apart);
    }
  }
  return report;
}

Projection Backbone::do_project(const PointsRef& x) const {
  return project_with_report(x).projection;
}

Points Backbone::do_residual(const PointsRef& x) const {
  Pack pack(residues_, geometry_, frame_);
  Points result(codimension(), x.cols());
  Lanes y = pack.coordinates();
  for (Index begin = 0; begin < x.cols(); begin += lanes) {
    pack.load(x, begin, 1, y);
    pack.set_point(y);
    (void)pack.set_residuals();
    for (Index l = 0; l < std::min(lanes, x.cols() - begin); ++l) {
      Index row = 0;
      for (Index c = 0; c < pack.constraints(); ++c) {
        if (!pack.active(c)) continue;
        result(row++, begin + l) =
            pack.residuals()[static_cast<std::size_t>(c)][l] / std::sqrt(pack.square(c));
      }
    }
  }
  return result;
}

Points Backbone::do_from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const {
  Pack pack(residues_, geometry_, frame_);
  Points result(y.rows(), y.cols());
  Lanes x = pack.coordinates();
  Lanes z(static_cast<std::size_t>(pack.constraints()));
  for (Index begin = 0; begin < y.cols(); begin += lanes) {
    pack.load(y, begin, 1, x);
    pack.set_point(x);
    pack.factor();
    Index row = 0;
    for (Index c = 0; c < pack.constraints(); ++c) {
      auto& value = z[static_cast<std::size_t>(c)];
      value = Lane{};
      if (!pack.active(c)) continue;
      for (Index l = 0; l < lanes; ++l) value[l] = coordinates(row, std::min(begin + l, y.cols() - 1));
      value *= square_root(pack.inverse_pivots()[static_cast<std::size_t>(c)]);
      ++row;
    }
    pack.solve_upper(z, pack.constraints() - 1);
    std::fill(x.begin(), x.end(), Lane{});
    pack.add_transposed(z, all(1), x);
    for (Index l = 0; l < std::min(lanes, y.cols() - begin); ++l)
      pack.store(x, l, result.col(begin + l).data());
  }
  return result;
}

Points Backbone::do_normal_bases(const PointsRef& y) const {
  Pack pack(residues_, geometry_, frame_);
  const Index k = codimension();
  Points result(y.rows(), k * y.cols());
  Lanes x = pack.coordinates();
  Lanes z(static_cast<std::size_t>(pack.constraints()));
  for (Index begin = 0; begin < y.cols(); begin += lanes) {
    pack.load(y, begin, 1, x);
    pack.set_point(x);
    pack.factor();
    Index row = 0;
    for (Index c = 0; c < pack.constraints(); ++c) {
      if (!pack.active(c)) continue;
      std::fill(z.begin(), z.end(), Lane{});
      z[static_cast<std::size_t>(c)] = square_root(pack.inverse_pivots()[static_cast<std::size_t>(c)]);
      pack.solve_upper(z, c);
      std::fill(x.begin(), x.end(), Lane{});
      pack.add_transposed(z, all(1), x);
      for (Index l = 0; l < std::min(lanes, y.cols() - begin); ++l) {
        pack.store(x, l, result.col(k * (begin + l) + row).data());
      }
      ++row;
    }
  }
  return result;
}

Points Backbone::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  Pack pack(residues_, geometry_, frame_);
  Points result(v.rows(), v.cols());
  Lanes x = pack.coordinates();
  Lanes u = x;
  Lanes tangent = x;
  for (Index begin = 0; begin < v.cols(); begin += lanes) {
    pack.load(y, begin, 1, x);
    pack.load(v, begin, 0, u);
    pack.set_point(x);
    pack.factor();
    tangent = u;
    // Twice: the second time takes out what the condition of J J^T left in.
    pack.make_tangent(tangent);
    pack.make_tangent(tangent);
    for (std::size_t i = 0; i < u.size(); ++i) u[i] -= tangent[i];
    for (Index l = 0; l < std::min(lanes, v.cols() - begin); ++l)
      pack.store(u, l, result.col(begin + l).data());
  }
  return result;
}

Points Backbone::do_random_points(Index n, Stream stream) const {
  const Points torsions =
      M_PI * (2 * stream.at("torsions").uniform(3 * residues_ - 3, n).array() - 1).matrix();
  Points chains = build_backbone(torsions, geometry_);
  if (frame_ == BackboneFrame::middle) return from_full_coordinates(chains);
  const Points turns = stream.at("rotation").normal(4, n);  // a normal quaternion has a uniform direction
  const Points shifts = stream.at("translation").normal(3, n);
  for (Index j = 0; j < n; ++j) {
    const Eigen::Matrix3d rotation = Eigen::Quaterniond(turns(0, j), turns(1, j), turns(2, j), turns(3, j))
                                         .normalized()
                                         .toRotationMatrix();
    for (Index i = 0; i < chains.rows(); i += 3) {
      const Eigen::Vector3d atom = chains.col(j).segment<3>(i);
      chains.col(j).segment<3>(i) = rotation * atom + shifts.col(j);
    }
  }
  return chains;
}

Points Backbone::full_coordinates(const PointsRef& points) const {
  check_dimension(points, ambient_dimension(), "full_coordinates");
  if (frame_ == BackboneFrame::free) return points;
  const Index first = 9 * middle_residue(residues_);
  Points result(9 * residues_, points.cols());
  result.topRows(first) = points.topRows(first);
  result.middleRows(first, 9) = middle_frame_atoms(geometry_).replicate(1, points.cols());
  result.bottomRows(result.rows() - first - 9) = points.bottomRows(points.rows() - first);
  return result;
}

Points Backbone::from_full_coordinates(const PointsRef& chains) const {
  check_dimension(chains, 9 * residues_, "from_full_coordinates");
  if (frame_ == BackboneFrame::free) return chains;
  const Index first = 9 * middle_residue(residues_);
  const Points moved = to_middle_frame(chains);
  Points result(ambient_dimension(), chains.cols());
  result.topRows(first) = moved.topRows(first);
  result.bottomRows(result.rows() - first) = moved.bottomRows(moved.rows() - first - 9);
  return result;
}

Points Backbone::torsions(const PointsRef& points) const {
  return backbone_torsions(full_coordinates(points));
}

}  // namespace onmanifold
