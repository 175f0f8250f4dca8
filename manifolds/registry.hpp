// SPDX-License-Identifier: Apache-2.0
#pragma once
// All manifolds that a command line can name, and the reading of that notation.

#include <memory>
#include <string>
#include <string_view>

#include "core/registry.hpp"
#include "core/settings.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

using ManifoldFactory = std::shared_ptr<const Manifold> (*)(Settings& settings);

/// The factory reads its settings and leaves finish() to the caller.
[[nodiscard]] const Registry<ManifoldFactory>& manifold_registry();

/// The manifold "name" or "name:key=value,key=value,…". Lists of numbers are split by ':', rows by '/'; the
/// key path comes last and takes the rest, commas included.
///   sphere:dim=2,radius=1[,centre=0:0:0] · plane:normal=1:2:3,offset=1 · flux:dim=784,total=100 ·
///   affine:rows=1:1:1/1:-2:1,values=3:0 · mesh:[area=12.566,]path=FILE ·
///   flux:dim=784,total=100,nonnegative=true · so3 · torus:dim=2 · donut:major=2,minor=0.6 ·
///   ellipsoid:axes=1:1:2 · finite:atoms=-1:0/1:0 · one_hot:classes=10 · cube:dim=8 ·
///   subspace:dim=2,ambient=64 · sphere_in:dim=2,ambient=16 ·
///   product:factors=so3*one_hot:classes=4^3 · sphere_in_16d · circle_in_16d ·
///   backbone:residues=16,geometry=engh-huber-1991,frame=middle
/// The key factors takes the rest as path does; its manifolds are split by '*', '^' repeats one.
/// For each of these, make_manifold(m.spec())->spec() == m.spec().
/// \throw InvalidInput naming the notation and the known names or keys; IoError if a file cannot be read.
[[nodiscard]] std::shared_ptr<const Manifold> make_manifold(std::string_view spec);

/// The name alone: "sphere" of "sphere:dim=2". \throw InvalidInput if \p spec is none; the name is not looked up.
[[nodiscard]] std::string manifold_kind(std::string_view spec);

}  // namespace onmanifold
