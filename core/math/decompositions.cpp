// SPDX-License-Identifier: Apache-2.0
#include "core/math/decompositions.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

namespace onmanifold {

FullQr full_qr(const PointsRef& a) {
  const Eigen::HouseholderQR<Points> qr(a);
  FullQr result{Points::Identity(a.rows(), a.rows()), qr.matrixQR().topRows(a.cols()).triangularView<Eigen::Upper>()};
  result.q.applyOnTheLeft(qr.householderQ());
  return result;
}

Index pivoted_rank(const PointsRef& a, double threshold) {
  Eigen::ColPivHouseholderQR<Points> qr(a);
  qr.setThreshold(threshold);
  return qr.rank();
}

ThinSvd jacobi_svd(const Eigen::MatrixXd& x) {
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return {svd.matrixU(), svd.singularValues(), svd.matrixV()};
}

Svd3 jacobi_svd3(const Eigen::Matrix3d& x) {
  const Eigen::JacobiSVD<Eigen::Matrix3d> svd(x, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return {svd.matrixU(), svd.singularValues(), svd.matrixV()};
}

std::optional<EigenPairs> self_adjoint_eigen(const Eigen::MatrixXd& matrix) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
  if (solver.info() != Eigen::Success) return std::nullopt;
  return EigenPairs{solver.eigenvalues(), solver.eigenvectors()};
}

std::optional<Vector> cholesky_solve(const Eigen::MatrixXd& a, const Vector& b) {
  const Eigen::LLT<Eigen::MatrixXd> cholesky(a);
  if (cholesky.info() != Eigen::Success) return std::nullopt;
  return Vector(cholesky.solve(b));
}

}  // namespace onmanifold
