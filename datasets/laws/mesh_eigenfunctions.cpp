// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/mesh_eigenfunctions.hpp"

#include <armadillo>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

Eigenfunctions lowest_eigenfunctions(const MeshLaplacian& laplacian, Index count) {
  if (count < 1 || count >= laplacian.mass.size()) {
    throw InvalidInput(fmt::format("{} eigenfunctions of a mesh with {} vertices", count, laplacian.mass.size()));
  }
  const auto size = static_cast<arma::uword>(laplacian.mass.size());
  const Vector root = laplacian.mass.cwiseSqrt();
  const auto entries = static_cast<arma::uword>(laplacian.stiffness.nonZeros());
  arma::umat places(2, entries);
  arma::vec numbers(entries);
  arma::uword k = 0;
  for (Index column = 0; column < laplacian.stiffness.outerSize(); ++column) {
    for (Eigen::SparseMatrix<double>::InnerIterator it(laplacian.stiffness, column); it; ++it, ++k) {
      places(0, k) = static_cast<arma::uword>(it.row());
      places(1, k) = static_cast<arma::uword>(column);
      numbers(k) = it.value() / (root[it.row()] * root[column]);
    }
  }
  arma::sp_mat matrix(places, numbers, size, size);
  matrix = (matrix + matrix.t()) / 2;
  arma::eigs_opts options;
  options.tol = 1e-13;
  options.maxiter = 5000;
  arma::vec values;
  arma::mat vectors;
  if (!arma::eigs_sym(values, vectors, matrix, static_cast<arma::uword>(count), -0.05, options)) {
    throw NumericalFailure("the eigenfunctions of the mesh did not converge");
  }
  const arma::uvec order = arma::sort_index(values);
  Eigenfunctions result{Vector(count), Points(laplacian.mass.size(), count)};
  for (Index i = 0; i < count; ++i) {
    const arma::uword column = order(static_cast<arma::uword>(i));
    const Eigen::Map<const Vector> vector(vectors.colptr(column), laplacian.mass.size());
    Vector phi = vector.cwiseQuotient(root);
    phi /= std::sqrt((phi.array().square() * laplacian.mass.array()).sum());
    Index top = 0;
    phi.cwiseAbs().maxCoeff(&top);
    if (phi[top] < 0) phi = -phi;
    result.values[i] = values(column);
    result.functions.col(i) = phi;
  }
  return result;
}

}  // namespace onmanifold
