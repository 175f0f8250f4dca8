// SPDX-License-Identifier: Apache-2.0
#include "manifolds/backbone.hpp"

#include <algorithm>
#include <array>
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

// Distance c of a chain: c = 2i is the bond b_i of atoms i, i + 1, and c = 2i + 1 the span d_i of atoms i,
// i + 2.
constexpr Index first_atom(Index c) {
  return c / 2;
}
constexpr Index second_atom(Index c) {
  return c / 2 + 1 + c % 2;
}

// Four numbers with sum 0 that CA, C, N' and CA' of a planar trans peptide satisfy: sum_t coefficient_t x_t =
// 0. The first is 1 where \p to_the_left, else the last. Coordinates: C at the origin, N' on the first axis.
std::array<double, 4> planar_coefficients(const BackboneGeometry& geometry, bool to_the_left) {
  const double gamma =
      -geometry.bond(3) * std::sin(geometry.angle(2)) / (geometry.bond(1) * std::sin(geometry.angle(1)));
  const double beta = (geometry.bond(2) - geometry.bond(3) * std::cos(geometry.angle(2)) -
                       gamma * geometry.bond(1) * std::cos(geometry.angle(1))) /
                      geometry.bond(2);
  const double alpha = 1 - beta - gamma;
  if (to_the_left) return {1, alpha / gamma, beta / gamma, -1 / gamma};
  return {-gamma, -alpha, -beta, 1};
}

// A pack of eight chains with the band of its J J^T. Fixed atoms have no rows in J; constraints between fixed
// atoms have no columns and a unit row in the band, which leaves the other blocks alone.
//
// Constraints: the distances 0 … 6L-4, then for planar omega three numbers a peptide. A peptide whose CA'
// is where CA, C and N' put it keeps its other two distances by itself; those are left out, and so are their
// mirror images left of a held middle residue, where CA follows from C, N' and CA'.
class Pack {
 public:
  Pack(Index residues, const BackboneGeometry& geometry, BackboneFrame frame, BackboneOmega omega)
      : atoms_(3 * residues),
        distances_(6 * residues - 3),
        constraints_(distances_ + (omega == BackboneOmega::planar ? 3 * (residues - 1) : 0)) {
    moves_.assign(static_cast<std::size_t>(atoms_), 1.0);
    frame_first_ = 3 * middle_residue(residues);
    held_ = frame == BackboneFrame::middle;
    if (held_) {
      frame_ = middle_frame_atoms(geometry);
      for (Index a = 0; a < 3; ++a) moves_[static_cast<std::size_t>(frame_first_ + a)] = 0;
    }
    const auto size = static_cast<std::size_t>(constraints_);
    squares_.resize(size, 1.0);
    for (Index c = 0; c < distances_; ++c) {
      const double length = c % 2 == 0 ? geometry.bond(c / 2) : geometry.span(c / 2);
      squares_[static_cast<std::size_t>(c)] = length * length;
    }
    kept_.assign(size, true);
    if (planar()) {
      first_right_ = held_ ? middle_residue(residues) : 0;
      left_ = planar_coefficients(geometry, true);
      right_ = planar_coefficients(geometry, false);
      for (Index i = 0; i + 1 < residues; ++i) {
        const Index bond = i < first_right_ ? 3 * i + 1 : 3 * i + 3;
        const Index span = i < first_right_ ? 3 * i + 1 : 3 * i + 2;
        kept_[static_cast<std::size_t>(2 * bond)] = false;
        kept_[static_cast<std::size_t>(2 * span + 1)] = false;
      }
    }
    order_rows();
    difference_.resize(3 * size);
    residual_.resize(size);
    if (planar()) {
      wide_band_.resize(static_cast<std::size_t>(planar_band) * rows_.size(), Lane{});
    } else {
      band_.resize(4 * (size + 8), Lane{});
    }
    inverse_.resize(size);
    multiplier_.resize(size);
  }

  [[nodiscard]] Index atoms() const { return atoms_; }
  [[nodiscard]] Index distances() const { return distances_; }
  [[nodiscard]] Index constraints() const { return constraints_; }
  [[nodiscard]] bool moves(Index atom) const { return moves_[static_cast<std::size_t>(atom)] != 0; }
  [[nodiscard]] bool planar() const { return constraints_ > distances_; }
  // Whether the constraint has a row in J.
  [[nodiscard]] bool active(Index c) const {
    if (c >= distances_) return true;
    return kept_[static_cast<std::size_t>(c)] && (moves(first_atom(c)) || moves(second_atom(c)));
  }
  // Active constraints in the order of the band: h has one number for each.
  [[nodiscard]] const std::vector<Index>& rows() const { return rows_; }
  [[nodiscard]] double square(Index c) const { return squares_[static_cast<std::size_t>(c)]; }
  // Whether CA of peptide i follows from the others, not CA'; and the coefficient of its atom t.
  [[nodiscard]] bool follows_left(Index i) const { return i < first_right_; }
  [[nodiscard]] double coefficient_of(Index i, Index t) const { return coefficient(distances_ + 3 * i, t); }
  [[nodiscard]] Lanes coordinates() const { return Lanes(static_cast<std::size_t>(3 * atoms_)); }
  [[nodiscard]] const Lane* difference(Index c) const { return &difference_[static_cast<std::size_t>(3 * c)]; }

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
    for (Index c = 0; c < distances_; ++c) {
      const Lane* from = &x[static_cast<std::size_t>(3 * first_atom(c))];
      const Lane* to = &x[static_cast<std::size_t>(3 * second_atom(c))];
      Lane* out = &difference_[static_cast<std::size_t>(3 * c)];
      for (Index i = 0; i < 3; ++i) out[i] = to[i] - from[i];
    }
    for (Index c = distances_; c < constraints_; ++c) {
      difference_[static_cast<std::size_t>(3 * c)] = planar_sum(c, x);
    }
  }

  // r_c = (|x_b - x_a|^2 - l^2) / 2 at the point, or the linear form itself; returns the largest 2 |r_c|, NaN
  // if there is one.
  Lane set_residuals() {
    Lane worst{};
    Lane sum{};
    for (Index c = 0; c < constraints_; ++c) {
      const Lane* v = difference(c);
      const Lane r = c < distances_ ? (dot(v, v) - square(c)) * (active(c) ? 0.5 : 0.0) : v[0];
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
    if (planar()) return factor_planar();
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
    if (planar()) return solve_planar_lower(z);
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
  // z <- L^-T z, for z that is zero beyond row \p last of rows()
  void solve_upper(Lanes& z, std::size_t last) const {
    if (planar()) return solve_planar_upper(z, last);
    Lane z1{};
    Lane z2{};
    Lane z3{};
    Lane z4{};
    for (Index c = rows_[last]; c >= 0; --c) {
      const Lane value = z[static_cast<std::size_t>(c)] - row(c + 4)[3] * z4 - row(c + 3)[2] * z3 - row(c + 2)[1] * z2 -
                         row(c + 1)[0] * z1;
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
    solve_upper(z, rows_.size() - 1);
  }
  [[nodiscard]] const Lanes& inverse_pivots() const { return inverse_; }

  // out = J u, for u that is zero at fixed atoms.
  void apply(const Lanes& u, Lanes& out) const {
    for (Index c = 0; c < distances_; ++c) {
      const Lane* from = &u[static_cast<std::size_t>(3 * first_atom(c))];
      const Lane* to = &u[static_cast<std::size_t>(3 * second_atom(c))];
      const Lane* v = difference(c);
      out[static_cast<std::size_t>(c)] = v[0] * (to[0] - from[0]) + v[1] * (to[1] - from[1]) + v[2] * (to[2] - from[2]);
    }
    if (!planar()) return;
    for (Index c = 0; c < distances_; ++c) {
      if (!kept_[static_cast<std::size_t>(c)]) out[static_cast<std::size_t>(c)] = Lane{};
    }
    for (Index c = distances_; c < constraints_; ++c) out[static_cast<std::size_t>(c)] = planar_sum(c, u);
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
    for (Index c = distances_; c < constraints_; ++c) {
      const Lane f = factor * z[static_cast<std::size_t>(c)];
      for (Index t = 0; t < 4; ++t) {
        const Index a = 3 * peptide(c) + 1 + t;
        out[static_cast<std::size_t>(3 * a + axis(c))] += (moves_[static_cast<std::size_t>(a)] * coefficient(c, t)) * f;
      }
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
  // Linear constraints have no part in it.
  [[nodiscard]] Mask convex(const Lanes& z) const {
    std::vector<Lane> diagonal(static_cast<std::size_t>(atoms_), all(1));
    for (Index c = 0; c < distances_; ++c) {
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
  // Linear constraint c: coordinate axis(c) of the sum over the four atoms of a peptide.
  [[nodiscard]] Index peptide(Index c) const { return (c - distances_) / 3; }
  [[nodiscard]] Index axis(Index c) const { return (c - distances_) % 3; }
  [[nodiscard]] double coefficient(Index c, Index t) const {
    return (peptide(c) < first_right_ ? left_ : right_)[static_cast<std::size_t>(t)];
  }
  [[nodiscard]] Lane planar_sum(Index c, const Lanes& u) const {
    const Lane* atom = &u[static_cast<std::size_t>(9 * peptide(c) + 3 + axis(c))];
    return coefficient(c, 0) * atom[0] + coefficient(c, 1) * atom[3] + coefficient(c, 2) * atom[6] +
           coefficient(c, 3) * atom[9];
  }

  // Distances from the first atom on; the linear constraints of a peptide after its last distance, left of
  // the middle before its first: the order of smallest bandwidth.
  void order_rows() {
    for (Index c = 0; c < distances_; ++c) {
      if (active(c)) rows_.push_back(c);
      const Index i = c / 6;  // residue
      if (!planar() || 3 * i + 4 > atoms_ - 1) continue;
      if (c % 6 != (i < first_right_ ? 1 : 5)) continue;
      for (Index k = 0; k < 3; ++k) rows_.push_back(distances_ + 3 * i + k);
    }
    if (!planar()) return;
    // Entries of J J^T: constants times a product of two differences, one coordinate of one, or 1.
    couplings_.resize(rows_.size() * (planar_band + 1), 0.0);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t t = 0; t <= std::min<std::size_t>(r, planar_band); ++t) {
        double sum = 0;
        for (Index a = 0; a < 4; ++a) {
          for (Index b = 0; b < 4; ++b) {
            const auto [atom, factor] = term(rows_[r], a);
            const auto [other, with] = term(rows_[r - t], b);
            if (atom == other && moves(atom)) sum += factor * with;
          }
        }
        const Index c = rows_[r];
        const Index d = rows_[r - t];
        if (c >= distances_ && d >= distances_ && axis(c) != axis(d)) sum = 0;
        couplings_[r * (planar_band + 1) + t] = sum;
      }
    }
  }
  // Atom t of constraint c with its factor; factor 0 beyond the last.
  [[nodiscard]] std::pair<Index, double> term(Index c, Index t) const {
    if (c >= distances_) return {3 * peptide(c) + 1 + t, coefficient(c, t)};
    if (t == 0) return {first_atom(c), -1.0};
    return {second_atom(c), t == 1 ? 1.0 : 0.0};
  }

  void factor_planar() {
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const Index c = rows_[r];
      const Lane* v = difference(c);
      const std::size_t back = std::min<std::size_t>(r, planar_band);
      Lane w[planar_band + 1];
      Lane* out = &wide_band_[planar_band * r];
      for (std::size_t t = back + 1; t-- > 0;) {
        const double constant = couplings_[r * (planar_band + 1) + t];
        Lane value{};
        if (constant != 0) {
          const Index d = rows_[r - t];
          const Lane* u = difference(d);
          if (c < distances_) {
            value = constant * (d < distances_ ? dot(v, u) : v[axis(d)]);
          } else {
            value = d < distances_ ? constant * u[axis(c)] : all(constant);
          }
        }
        const Lane* there = &wide_band_[planar_band * (r - t)];
        if (t > 0) {
          for (std::size_t s = back; s > t; --s) value -= w[s] * there[s - t - 1];
          w[t] = value;
          out[t - 1] = value * inverse_[static_cast<std::size_t>(rows_[r - t])];
        } else {
          for (std::size_t s = back; s > 0; --s) value -= w[s] * out[s - 1];
          inverse_[static_cast<std::size_t>(c)] = 1.0 / value;
        }
      }
    }
  }
  void solve_planar_lower(Lanes& z) const {
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const Lane* l = &wide_band_[planar_band * r];
      Lane value = z[static_cast<std::size_t>(rows_[r])];
      for (std::size_t t = std::min<std::size_t>(r, planar_band); t > 0; --t) {
        value -= l[t - 1] * z[static_cast<std::size_t>(rows_[r - t])];
      }
      z[static_cast<std::size_t>(rows_[r])] = value;
    }
  }
  void solve_planar_upper(Lanes& z, std::size_t last) const {
    for (std::size_t r = last + 1; r-- > 0;) {
      Lane value = z[static_cast<std::size_t>(rows_[r])];
      for (std::size_t t = std::min<std::size_t>(rows_.size() - 1 - r, planar_band); t > 0; --t) {
        value -= wide_band_[planar_band * (r + t) + t - 1] * z[static_cast<std::size_t>(rows_[r + t])];
      }
      z[static_cast<std::size_t>(rows_[r])] = value;
    }
  }

  // Row c of L, entry t back at t - 1. Four rows of zeros before and behind: c from -4 on.
  [[nodiscard]] Lane* row(Index c) { return &band_[static_cast<std::size_t>(4 * (c + 4))]; }
  [[nodiscard]] const Lane* row(Index c) const { return &band_[static_cast<std::size_t>(4 * (c + 4))]; }

  static constexpr std::size_t planar_band = 9;

  Index atoms_;
  Index distances_;
  Index constraints_;
  Index first_right_ = 0;  // peptides from here on give CA' by the others, those before CA
  std::array<double, 4> left_{};
  std::array<double, 4> right_{};
  std::vector<bool> kept_;  // false: implied by a linear constraint
  std::vector<Index> rows_;
  std::vector<double> couplings_;  // row × (planar_band + 1)
  Lanes wide_band_;                // of planar chains: row × planar_band
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
//
// Planar peptides have a force p at CA' (and -gamma p at CA, -alpha p at C, -beta p at N': no sum and no
// torque). Cut between N' and CA', p is the sum of the forces beyond and d of the residue beyond. The torque
// about C then gives d from CA to N', since CA' - C = gamma (CA - C) + beta (N' - C). Left of the middle the
// mirror image holds. Only the multipliers of distances enter: h is linear in the others.
double reach_bound(Index residues, const BackboneGeometry& geometry, BackboneFrame frame, BackboneOmega omega) {
  const Index atoms = 3 * residues;
  const Pack pack(residues, geometry, frame, omega);
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
    farthest[static_cast<std::size_t>(k)] = static_cast<double>(k / 2) * span + static_cast<double>(k % 2) * bond;
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
  std::vector<double> force(static_cast<std::size_t>(residues), 0.0);  // |p| of each peptide
  if (pack.planar()) {
    for (Index i = 0; i + 1 < residues; ++i) {
      // From the cut beyond C–N': the atom that follows from the others and the residue's own span.
      const bool left = pack.follows_left(i);
      const Index own = left ? 3 * i : 3 * i + 3;
      const Index cut = left ? 3 * i + 1 : 3 * i + 3;
      const double p = std::sqrt(static_cast<double>(outside(cut, cut + 1))) +
                       geometry.span(own) * bound[static_cast<std::size_t>(2 * own + 1)];
      force[static_cast<std::size_t>(i)] = p;
      const Index kept = left ? 3 * i + 2 : 3 * i + 1;  // span of C and CA', or of CA and N'
      const double arm = left ? geometry.bond(3 * i + 3) : geometry.bond(3 * i + 1);
      const double area2 = geometry.bond(kept) * geometry.bond(kept + 1) * std::sin(geometry.angle(kept));
      bound[static_cast<std::size_t>(2 * kept + 1)] += std::abs(pack.coefficient_of(i, left ? 3 : 0)) * arm * p / area2;
    }
  }
  for (Index i = 0; i + 1 < atoms; ++i) {
    if (!pack.active(2 * i)) continue;
    // b_i e + d_{i-1} f + d_i f' is the sum of the forces outside; along e.
    double size = std::sqrt(static_cast<double>(outside(i, i + 1)));
    if (pack.planar() && i % 3 != 0) {
      // What p adds across the cut: (1 - beta) p between C and N', gamma p between CA and C, and mirrored.
      const Index peptide = i / 3;
      const bool left = peptide < residues - 1 && pack.follows_left(peptide);
      if (peptide < residues - 1 && !left) {
        double share = pack.coefficient_of(peptide, 0);
        if (i % 3 == 2) share += pack.coefficient_of(peptide, 1);
        size += std::abs(share) * force[static_cast<std::size_t>(peptide)];
      } else if (left) {  // i % 3 == 2
        const double share = pack.coefficient_of(peptide, 2) + pack.coefficient_of(peptide, 3);
        size += std::abs(share) * force[static_cast<std::size_t>(peptide)];
      }
    }
    if (pack.planar() && i % 3 == 0 && i > 0 && pack.follows_left(i / 3 - 1)) {
      // Between N' and CA': the part at CA' alone.
      size += std::abs(pack.coefficient_of(i / 3 - 1, 3)) * force[static_cast<std::size_t>(i / 3 - 1)];
    }
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
  for (Index c = 0; c < pack.distances(); ++c) {
    weights[static_cast<std::size_t>(first_atom(c))] += bound[static_cast<std::size_t>(c)];
    weights[static_cast<std::size_t>(second_atom(c))] += bound[static_cast<std::size_t>(c)];
  }
  return 1 / (2 * *std::max_element(weights.begin(), weights.end()));
}

}  // namespace

Backbone::Backbone(Index residues, BackboneGeometry geometry, BackboneFrame frame, BackboneOmega omega)
    : residues_(residues), geometry_(std::move(geometry)), frame_(frame), omega_(omega) {
  if (residues < 2 || residues > 10000) {
    throw InvalidInput(fmt::format("backbone: residues = {} must be from 2 to 10000", residues));
  }
  reach_ = reach_bound(residues_, geometry_, frame_, omega_);
}

Index Backbone::do_ambient_dimension() const {
  return frame_ == BackboneFrame::free ? 9 * residues_ : 9 * (residues_ - 1);
}

Index Backbone::do_dimension() const {
  return (frame_ == BackboneFrame::free ? 3 * residues_ + 3 : 3 * residues_ - 3) - (planar_omega() ? residues_ - 1 : 0);
}

std::string Backbone::do_spec() const {
  return fmt::format("backbone:residues={},geometry={}{}{}", residues_, geometry_.name,
                     frame_ == BackboneFrame::free ? "" : ",frame=middle", planar_omega() ? ",planar=true" : "");
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

  Pack pack(residues_, geometry_, frame_, omega_);
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
  Pack pack(residues_, geometry_, frame_, omega_);
  Points result(codimension(), x.cols());
  Lanes y = pack.coordinates();
  for (Index begin = 0; begin < x.cols(); begin += lanes) {
    pack.load(x, begin, 1, y);
    pack.set_point(y);
    (void)pack.set_residuals();
    for (Index l = 0; l < std::min(lanes, x.cols() - begin); ++l) {
      Index row = 0;
      for (const Index c : pack.rows()) {
        result(row++, begin + l) = pack.residuals()[static_cast<std::size_t>(c)][l] / std::sqrt(pack.square(c));
      }
    }
  }
  return result;
}

Points Backbone::do_from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const {
  Pack pack(residues_, geometry_, frame_, omega_);
  Points result(y.rows(), y.cols());
  Lanes x = pack.coordinates();
  Lanes z(static_cast<std::size_t>(pack.constraints()));
  for (Index begin = 0; begin < y.cols(); begin += lanes) {
    pack.load(y, begin, 1, x);
    pack.set_point(x);
    pack.factor();
    Index row = 0;
    std::fill(z.begin(), z.end(), Lane{});
    for (const Index c : pack.rows()) {
      auto& value = z[static_cast<std::size_t>(c)];
      for (Index l = 0; l < lanes; ++l) value[l] = coordinates(row, std::min(begin + l, y.cols() - 1));
      value *= square_root(pack.inverse_pivots()[static_cast<std::size_t>(c)]);
      ++row;
    }
    pack.solve_upper(z, pack.rows().size() - 1);
    std::fill(x.begin(), x.end(), Lane{});
    pack.add_transposed(z, all(1), x);
    for (Index l = 0; l < std::min(lanes, y.cols() - begin); ++l) pack.store(x, l, result.col(begin + l).data());
  }
  return result;
}

Points Backbone::do_normal_bases(const PointsRef& y) const {
  Pack pack(residues_, geometry_, frame_, omega_);
  const Index k = codimension();
  Points result(y.rows(), k * y.cols());
  Lanes x = pack.coordinates();
  Lanes z(static_cast<std::size_t>(pack.constraints()));
  for (Index begin = 0; begin < y.cols(); begin += lanes) {
    pack.load(y, begin, 1, x);
    pack.set_point(x);
    pack.factor();
    Index row = 0;
    for (const Index c : pack.rows()) {
      std::fill(z.begin(), z.end(), Lane{});
      z[static_cast<std::size_t>(c)] = square_root(pack.inverse_pivots()[static_cast<std::size_t>(c)]);
      pack.solve_upper(z, static_cast<std::size_t>(row));
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
  Pack pack(residues_, geometry_, frame_, omega_);
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
    for (Index l = 0; l < std::min(lanes, v.cols() - begin); ++l) pack.store(u, l, result.col(begin + l).data());
  }
  return result;
}

Points Backbone::do_random_points(Index n, Stream stream) const {
  Points torsions = M_PI * (2 * stream.at("torsions").uniform(3 * residues_ - 3, n).array() - 1).matrix();
  if (planar_omega()) flatten_omega(torsions);
  Points chains = build_backbone(torsions, geometry_);
  if (frame_ == BackboneFrame::middle) return from_full_coordinates(chains);
  const Points turns = stream.at("rotation").normal(4, n);  // a normal quaternion has a uniform direction
  const Points shifts = stream.at("translation").normal(3, n);
  for (Index j = 0; j < n; ++j) {
    const Eigen::Matrix3d rotation =
        Eigen::Quaterniond(turns(0, j), turns(1, j), turns(2, j), turns(3, j)).normalized().toRotationMatrix();
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
