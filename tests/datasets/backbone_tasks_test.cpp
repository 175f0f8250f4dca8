// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <Eigen/Dense>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "datasets/laws/ramachandran.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "goodness_of_fit.hpp"
#include "tasks_under_test.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

BackboneFragments made_fragments(const std::vector<std::string>& sequences) {
  BackboneFragments fragments;
  fragments.residues = static_cast<Index>(sequences.front().size());
  const auto n = static_cast<Index>(sequences.size());
  const Points torsions = 3 * Stream(1, "made").uniform(3 * fragments.residues - 3, n);
  fragments.coordinates = build_backbone(torsions, backbone_geometry("promod3"));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    fragments.structures.push_back(fmt::format("s{}", i));
    fragments.chains.emplace_back("A");
    fragments.first.emplace_back("1");
  }
  fragments.sequences = sequences;
  fragments.origin = "made";
  fragments.licence = "none needed";
  return fragments;
}

TEST(BackboneFragments, ShippedSetIsSplitByStructureAndSequenceCluster) {
  const BackboneFragments& fragments = shipped_backbone_fragments();
  EXPECT_EQ(fragments.residues, 16);
  EXPECT_EQ(fragments.size(), 16000);
  std::map<std::int64_t, Index> counts;
  std::map<std::int64_t, std::set<std::int64_t>> splits_of_cluster;
  std::map<std::string, std::set<std::int64_t>> splits_of_structure;
  for (std::size_t i = 0; i < fragments.splits.size(); ++i) {
    ++counts[fragments.splits[i]];
    splits_of_cluster[fragments.clusters[i]].insert(fragments.splits[i]);
    splits_of_structure[fragments.structures[i]].insert(fragments.splits[i]);
  }
  EXPECT_EQ(counts[split_train], 10000);
  EXPECT_EQ(counts[split_validation], 3000);
  EXPECT_EQ(counts[split_reference], 3000);
  for (const auto& [cluster, splits] : splits_of_cluster) ASSERT_EQ(splits.size(), 1U) << cluster;
  for (const auto& [structure, splits] : splits_of_structure) ASSERT_EQ(splits.size(), 1U) << structure;

  // Near-equal fragments are on one side; the same check finds those that a split by number alone separates.
  const auto part = [&](const std::vector<std::int64_t>& splits) {
    BackboneFragments some = fragments;
    some.splits = splits;
    some.coordinates = fragments.coordinates.leftCols(4000);
    some.sequences.resize(4000);
    return largest_identity_across_splits(some);
  };
  EXPECT_LT(part(fragments.splits), 8);
  std::vector<std::int64_t> naive(16000);
  for (std::size_t i = 0; i < naive.size(); ++i) naive[i] = static_cast<std::int64_t>(i % 3);
  EXPECT_GE(part(naive), 8);
}

TEST(BackboneFragments, ClustersAreLinkedByHalfOfThePlacesAndByStructure) {
  BackboneFragments fragments =
      made_fragments({"AAAAAAAA", "AAAACCCC", "CCCCCCCC", "DDDDDDDD", "AAADEFGH", "KLMNPQRS"});
  fragments.structures[5] = "s3";
  split_by_cluster(fragments);
  // 0 – 1 – 2 is a chain of halves; 4 agrees with 0 in three of eight places only; 5 is of the structure
  // of 3.
  EXPECT_EQ(fragments.clusters, (std::vector<std::int64_t>{0, 0, 0, 1, 2, 1}));
  EXPECT_EQ(fragments.splits[0], fragments.splits[2]);
  EXPECT_EQ(fragments.splits[3], fragments.splits[5]);
  EXPECT_LT(largest_identity_across_splits(fragments), 4);
}

TEST(BackboneFragments, FilesAreReadBackAndBadOnesNamed) {
  const TemporaryDirectory directory;
  BackboneFragments fragments = made_fragments({"ACDEFGHI", "KLMNPQRS", "ACDEFGHK"});
  split_by_cluster(fragments);
  write_backbone_fragments(directory.file("made.h5"), fragments, 0.001);
  const BackboneFragments found = read_backbone_fragments(directory.file("made.h5"));
  EXPECT_LT((found.coordinates - fragments.coordinates).cwiseAbs().maxCoeff(), 0.00051);
  EXPECT_EQ(found.sequences, fragments.sequences);
  EXPECT_EQ(found.splits, fragments.splits);
  EXPECT_EQ(found.licence, "none needed");

  const BackboneFragments part = middle_part(found, 4);
  EXPECT_EQ(part.sequences[0], "DEFG");
  EXPECT_EQ(part.coordinates, found.coordinates.middleRows(18, 36));
  EXPECT_THROW((void)middle_part(found, 9), InvalidInput);

  Hdf5Writer other(directory.file("other.h5"));
  other.write_number("/x", 1);
  other.commit();
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_backbone_fragments(directory.file("other.h5")); },
                                           {"other.h5", "no set of backbone fragments"}));
  EXPECT_THROW((void)read_backbone_fragments(directory.file("missing.h5")), InvalidInput);
  fragments.sequences[1] = "AC";
  EXPECT_THROW(split_by_cluster(fragments), InvalidInput);
}

class FragmentTask : public ::testing::TestWithParam<Index> {};

TEST_P(FragmentTask, KeepsTheContractOfADataSet) {
  const Index residues = GetParam();
  const Task task = default_task(fmt::format("backbone-{}", residues));
  EXPECT_EQ(task.manifold->ambient_dimension(), 9 * (residues - 1));
  EXPECT_EQ(task.manifold->dimension(), 3 * residues - 3);
  ASSERT_TRUE(task.splits.has_value());
  EXPECT_EQ(task.splits->train->size(), 10000);
  EXPECT_EQ(task.splits->validation->size(), 3000);
  EXPECT_EQ(task.splits->reference->size(), 3000);
  const Points training = sample_training(task, 10000, training_stream(task, 0, 0));
  const Points reference = sample_reference(task, 10000, reference_stream(task, 0));
  EXPECT_EQ(reference.cols(), 3000);
  EXPECT_LE(task.manifold->residual(training).cwiseAbs().maxCoeff(), 1e-12);
  // The lift of verdicts is visible: 3 s_min at least, in standardised units.
  const double scale =
      std::sqrt((training.colwise() - training.rowwise().mean()).squaredNorm() / static_cast<double>(training.size()));
  EXPECT_LE(task.smallest_noise, task.preregistered_sigma / scale / 3);
  if (residues == 16) {
    EXPECT_NEAR(scale, 4.73, 0.1) << "the value measured on the fragments before their bonds were idealised";
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, FragmentTask, ::testing::Values(8, 16));

// The target of the projection on real chains, and NeRF on them.
TEST(BackboneTasks, RealFragmentsProjectInEightSteps) {
  const Task task = default_task("backbone-16");
  const auto& backbone = dynamic_cast<const Backbone&>(*task.manifold);
  const Points y = sample_reference(task, 1000, reference_stream(task, 0));
  const Points torsions = backbone.torsions(y);
  const Points again = backbone.from_full_coordinates(build_backbone(torsions, backbone.geometry()));
  EXPECT_LT((again - y).cwiseAbs().maxCoeff(), 1e-10);
  for (const double sigma : task.sigma_grid) {
    if (sigma > 0.1) continue;
    for (const LiftType type : {LiftType::normal, LiftType::isotropic}) {
      const Points x = Lift{type, sigma}.apply(y, backbone, Stream(2, "noised"));
      const BackboneProjection landed = backbone.project_with_report(x, false);
      EXPECT_EQ(landed.projection.failures(), 0);
      EXPECT_LE(landed.gauss_newton_steps.maxCoeff(), 8);
      const BackboneProjection nearest = backbone.project_with_report(x);
      EXPECT_LE(nearest.projection.failures(), 1);
      if (type != LiftType::normal) continue;
      Index returned = 0;
      for (Index j = 0; j < y.cols(); ++j) {
        returned += (nearest.projection.points.col(j) - y.col(j)).norm() < 1e-6 ? 1 : 0;
      }
      EXPECT_GE(returned, sigma < 0.07 ? 1000 : 985) << sigma;
    }
  }
}

Task planar_task(const std::string& name) {
  Settings settings(Value(Value::Table{{"planar_omega", true}}), "test");
  Task task = task_registry().get(name).factory(settings);
  settings.finish();
  return task;
}

double largest_twist(const Points& torsions) {
  double worst = 0;
  for (Index j = 1; j < torsions.rows(); j += 3) {
    worst = std::max(worst, (M_PI - torsions.row(j).cwiseAbs().array()).maxCoeff());
  }
  return worst;
}

TEST(BackboneTasks, PlanarOmegaKeepsTheOtherTorsionsOfRealFragments) {
  const Task task = planar_task("backbone-16");
  const Task bent = default_task("backbone-16");
  const auto& backbone = dynamic_cast<const Backbone&>(*task.manifold);
  EXPECT_EQ(backbone.ambient_dimension(), 135);
  EXPECT_EQ(backbone.dimension(), 30);
  EXPECT_NE(task.data_hash, bent.data_hash);
  EXPECT_NE(task.description.find("180"), std::string::npos);
  const Points y = sample_reference(task, 1000, reference_stream(task, 0));
  EXPECT_LE(backbone.residual(y).cwiseAbs().maxCoeff(), 1e-12);
  Points torsions = backbone.torsions(y);
  EXPECT_LT(largest_twist(torsions), 1e-10);
  // The same fragments: phi and psi are those of the task with free omega; its chains are not flat.
  const Points bent_chains = sample_reference(bent, 1000, reference_stream(task, 0));
  Points original = backbone.torsions(bent_chains);
  EXPECT_GT(largest_twist(original), 0.1);
  EXPECT_GT(backbone.residual(bent_chains).cwiseAbs().maxCoeff(), 0.1);
  flatten_omega(original);
  flatten_omega(torsions);
  const Points turns = (torsions - original).array() / (2 * M_PI);
  EXPECT_LT((turns - turns.array().round().matrix()).cwiseAbs().maxCoeff(), 1e-10);
  for (const double sigma : {0.05, 0.1}) {
    const Points x = Lift{LiftType::isotropic, sigma}.apply(y, backbone, Stream(7, "noised"));
    const BackboneProjection landed = backbone.project_with_report(x, false);
    EXPECT_EQ(landed.projection.failures(), 0);
    EXPECT_LE(landed.gauss_newton_steps.maxCoeff(), 8);
    const Projection nearest = backbone.project(x);
    EXPECT_LE(nearest.failures(), 1);
    const Points found = backbone.torsions(nearest.points);
    for (Index j = 0; j < found.cols(); ++j) {
      if (!nearest.converged(j)) continue;
      EXPECT_LT(largest_twist(found.col(j)), 1e-8) << "cis, or bent";
    }
  }
}

TEST(BackboneTasks, PlanarOmegaOfTheSyntheticLaw) {
  const Task task = planar_task("backbone-synthetic");
  const auto law = std::dynamic_pointer_cast<const RamachandranLaw>(task.density);
  ASSERT_TRUE(law);
  const Backbone& backbone = law->backbone();
  EXPECT_EQ(backbone.dimension(), 14);
  const Points points = task.sampler->sample(20000, reference_stream(task, 0));
  EXPECT_LE(backbone.residual(points).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
  // Volume of the map from the 14 free torsions by differences.
  const Points torsions = law->sample_torsions(3, Stream(8, "planar volume"));
  const double step = 1e-5;
  for (Index n = 0; n < 3; ++n) {
    Points jacobian(backbone.ambient_dimension(), 0);
    Points whole = jacobian;
    for (Index j = 0; j < torsions.rows(); ++j) {
      Points both = torsions.col(n).replicate(1, 2);
      both(j, 0) += step;
      both(j, 1) -= step;
      const Points chains = backbone.from_full_coordinates(build_backbone(both, backbone.geometry()));
      const Vector column = (chains.col(0) - chains.col(1)) / (2 * step);
      whole.conservativeResize(Eigen::NoChange, whole.cols() + 1);
      whole.rightCols(1) = column;
      if (j % 3 == 1) continue;
      jacobian.conservativeResize(Eigen::NoChange, jacobian.cols() + 1);
      jacobian.rightCols(1) = column;
    }
    const Points point = backbone.from_full_coordinates(build_backbone(torsions.col(n), backbone.geometry()));
    const double volume = law->torsion_log_density(torsions.col(n))(0) - law->log_density(point)(0);
    EXPECT_NEAR(volume, 0.5 * std::log((jacobian.transpose() * jacobian).determinant()), 1e-6);
    // Control: the volume with omega is another.
    EXPECT_GT(std::abs(volume - 0.5 * std::log((whole.transpose() * whole).determinant())), 0.1);
  }
}

TEST(BackboneTasks, UsersFragmentsAreTaken) {
  const TemporaryDirectory directory;
  std::vector<std::string> sequences;
  Stream letters(3, "letters");
  for (int i = 0; i < 48; ++i) {
    std::string sequence = "..........";
    for (char& letter : sequence) letter = static_cast<char>('A' + letters.integer(20));
    sequences.push_back(sequence);
  }
  BackboneFragments fragments = made_fragments(sequences);
  split_by_cluster(fragments);
  write_backbone_fragments(directory.file("own.h5"), fragments, 0.001);
  Settings settings(Value(Value::Table{{"fragments", directory.file("own.h5")}, {"geometry", "igfold"}}), "test");
  const Task task = task_registry().get("backbone-8").factory(settings);
  settings.finish();
  EXPECT_EQ(task.splits->train->size() + task.splits->validation->size() + task.splits->reference->size(), 48);
  EXPECT_EQ(task.manifold->spec(), "backbone:residues=8,geometry=igfold,frame=middle");
  EXPECT_NE(task.data_hash, default_task("backbone-8").data_hash);
  Settings longer(Value(Value::Table{{"fragments", directory.file("own.h5")}}), "test");
  EXPECT_THROW((void)task_registry().get("backbone-16").factory(longer), InvalidInput);
}

TEST(RamachandranLaw, DrawsAgreeWithTheMassesAndDoNotWithOthers) {
  const Task task = default_task("backbone-synthetic");
  ASSERT_EQ(task.masses.size(), 36 * 36);
  EXPECT_NEAR(task.masses.sum(), 1, 1e-12);
  EXPECT_GE(task.masses.minCoeff(), 0);
  const Points points = task.sampler->sample(20000, reference_stream(task, 0));
  EXPECT_EQ(task.sampler->sample(20000, reference_stream(task, 0)), points);
  EXPECT_LE(task.manifold->residual(points).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
  // phi and psi exchanged.
  const Points transposed = task.masses.reshaped(36, 36).transpose();
  EXPECT_LT(testing::chi_square_p_value(*task.partition, transposed.reshaped(), points), 1e-12);
  Points odd = points.leftCols(2);
  odd(4, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(task.partition->assign(odd)(1), -1);
  EXPECT_THROW((void)task.sampler->sample(-1, reference_stream(task, 0)), InvalidInput);
}

TEST(RamachandranLaw, TorsionDensityIntegratesToOneAndItsTailsWrap) {
  const auto backbone = std::make_shared<const Backbone>(3, backbone_geometry("igfold"), BackboneFrame::middle);
  // Wide and centred at the seam: without the images of the normal a third of the mass would be missing.
  const RamachandranLaw law(backbone, {{0.6, M_PI, -3.0, 0.8, 0.7}, {0.4, 1, 2, 0.9, 1.1}}, M_PI, 0.6);
  // 24 nodes of a periodic rule are exact to rounding for these widths; one torsion at a time, conditional on
  // the others being integrated the same way, costs 24^6: take the factors phi_1, psi_1 and the ends
  // separately.
  const Index nodes = 24;
  const double step = 2 * M_PI / static_cast<double>(nodes);
  // Order: psi_0, omega_0, phi_1, psi_1, omega_1, phi_2.
  Points grid(6, nodes * nodes);
  const auto integral = [&](Index a, Index b) {
    grid.setConstant(0.3);
    for (Index i = 0; i < nodes; ++i) {
      for (Index j = 0; j < nodes; ++j) {
        grid(a, i * nodes + j) = step * static_cast<double>(i) - M_PI;
        grid(b, i * nodes + j) = step * static_cast<double>(j) - M_PI;
      }
    }
    double sum = 0;
    for (const double value : law.torsion_log_density(grid)) sum += std::exp(value);
    return sum * step * step;
  };
  // p factors into (psi_0)(omega_0)(phi_1, psi_1)(omega_1)(phi_2): the product of the pairs' integrals over
  // the density where the others are held gives 1.
  const double p = std::exp(law.torsion_log_density(Points::Constant(6, 1, 0.3))(0));
  EXPECT_NEAR(integral(0, 1) * integral(2, 3) * integral(4, 5) / (p * p), 1, 1e-9);
  // A turn changes nothing.
  const Points torsions = law.sample_torsions(50, Stream(4, "turn"));
  const Points turned = torsions.array() + 2 * M_PI;
  EXPECT_LT((law.torsion_log_density(torsions) - law.torsion_log_density(turned)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(RamachandranLaw, AngleOfTheFirstResidueFollowsItsMarginal) {
  const auto backbone = std::make_shared<const Backbone>(4, backbone_geometry("igfold"), BackboneFrame::middle);
  const RamachandranLaw law(backbone, {{0.3, -1, -0.7, 0.2, 0.2}, {0.7, -2, 2.2, 0.3, 0.25}}, M_PI, 0.1);
  const Points torsions = law.sample_torsions(4000, Stream(5, "marginal"));
  const auto normal = [](double z) { return 0.5 * std::erfc(-z / M_SQRT2); };
  const std::vector<double> psi(torsions.row(0).begin(), torsions.row(0).end());
  const auto law_of_psi = [&](double x) { return 0.3 * normal((x + 0.7) / 0.2) + 0.7 * normal((x - 2.2) / 0.25); };
  EXPECT_GT(testing::ks_p_value(psi, law_of_psi), testing::alpha);
  const std::vector<double> phi(torsions.row(8).begin(), torsions.row(8).end());
  EXPECT_LT(testing::ks_p_value(phi, law_of_psi), 1e-12) << "phi is not psi";
}

TEST(RamachandranLaw, VolumeIsThatOfTheMapFromTorsions) {
  const auto backbone =
      std::make_shared<const Backbone>(5, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const auto law = RamachandranLaw::standard(backbone);
  const Points torsions = law->sample_torsions(4, Stream(6, "volume"));
  const auto place = [&](const Points& t) {
    return backbone->from_full_coordinates(build_backbone(t, backbone->geometry()));
  };
  const Points points = place(torsions);
  const Vector volume = log_torsion_volume(*backbone, points);
  const double step = 1e-5;  // error step^2 and rounding 1e-11, relative
  for (Index n = 0; n < 4; ++n) {
    Points jacobian(points.rows(), torsions.rows());
    for (Index j = 0; j < torsions.rows(); ++j) {
      Points plus = torsions.col(n);
      Points minus = plus;
      plus(j) += step;
      minus(j) -= step;
      jacobian.col(j) = (place(plus) - place(minus)) / (2 * step);
    }
    const double expected = 0.5 * std::log((jacobian.transpose() * jacobian).determinant());
    EXPECT_NEAR(volume(n), expected, 1e-7);
    EXPECT_NEAR(law->log_density(points.col(n))(0), law->torsion_log_density(torsions.col(n))(0) - volume(n), 1e-9);
  }
}

}  // namespace
}  // namespace onmanifold
