// SPDX-License-Identifier: Apache-2.0
#include "datasets/readers/structure_files.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "core/random/stream.hpp"
#include "manifolds/backbone_geometry.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

struct AtomLine {
  std::string name;     // N, CA, C
  std::string residue;  // ALA
  std::string chain = "A";
  int number = 1;
  char insertion = ' ';
  char location = ' ';
  double occupancy = 1;
  bool hetero = false;
  int model = 1;
  Eigen::Vector3d place;
};

// A chain of alanines with real torsions, numbered from 1.
std::vector<AtomLine> made_chain(Index residues, const std::string& chain = "A", double omega = M_PI) {
  Points torsions(3 * residues - 3, 1);
  for (Index j = 0; j < torsions.rows(); ++j) {
    torsions(j, 0) = j % 3 == 0 ? -0.7 : j % 3 == 1 ? omega : -1.1;
  }
  const Points atoms = build_backbone(torsions, backbone_geometry("engh-huber-1991"));
  const char* names[3] = {"N", "CA", "C"};
  std::vector<AtomLine> lines;
  for (Index a = 0; a < 3 * residues; ++a) {
    AtomLine line;
    line.name = names[a % 3];
    line.residue = "ALA";
    line.chain = chain;
    line.number = static_cast<int>(a / 3) + 1;
    line.place = atoms.block<3, 1>(3 * a, 0);
    lines.push_back(line);
  }
  return lines;
}

std::string as_pdb(const std::vector<AtomLine>& lines) {
  std::string text;
  int serial = 0;
  int model = 0;
  const bool models = lines.back().model > 1;
  for (const AtomLine& l : lines) {
    if (models && l.model != model) {
      if (model > 0) text += "ENDMDL\n";
      text += fmt::format("MODEL     {:4d}\n", l.model);
      model = l.model;
    }
    text += fmt::format("{:<6}{:5d}  {:<3}{}{:>3} {}{:4d}{}   {:8.3f}{:8.3f}{:8.3f}{:6.2f}{:6.2f}          {:>2}\n",
                        l.hetero ? "HETATM" : "ATOM", ++serial, l.name, l.location, l.residue, l.chain, l.number,
                        l.insertion, l.place.x(), l.place.y(), l.place.z(), l.occupancy, 20.0, l.name.substr(0, 1));
  }
  return text + (models ? "ENDMDL\nEND\n" : "END\n");
}

std::string as_mmcif(const std::vector<AtomLine>& lines) {
  std::string text =
      "data_made\nloop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.label_atom_"
      "id\n"
      "_atom_site.label_alt_id\n_atom_site.label_comp_id\n_atom_site.label_asym_id\n_atom_site.label_entity_"
      "id\n"
      "_atom_site.label_seq_id\n_atom_site.pdbx_PDB_ins_code\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n"
      "_atom_site.Cartn_z\n_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n_atom_site.auth_seq_id\n"
      "_atom_site.auth_asym_id\n_atom_site.pdbx_PDB_model_num\n";
  int serial = 0;
  for (const AtomLine& l : lines) {
    // label_asym_id differs from the author's chain on purpose.
    text += fmt::format("{} {} {} {} {} {} X{} 1 {} {} {:.3f} {:.3f} {:.3f} {:.2f} 20.0 {} {} {}\n",
                        l.hetero ? "HETATM" : "ATOM", ++serial, l.name.substr(0, 1), l.name,
                        l.location == ' ' ? '.' : l.location, l.residue, l.chain, l.number,
                        l.insertion == ' ' ? '?' : l.insertion, l.place.x(), l.place.y(), l.place.z(), l.occupancy,
                        l.number, l.chain, l.model);
  }
  return text + "#\n";
}

// Every pitfall in both formats.
class StructureFiles : public ::testing::TestWithParam<const char*> {
 protected:
  std::vector<BackboneSegment> read(const std::vector<AtomLine>& lines) {
    const std::string path = directory_.file(fmt::format("made.{}", GetParam()));
    write_file(path, std::string(GetParam()) == "pdb" ? as_pdb(lines) : as_mmcif(lines));
    return read_backbone_segments(path);
  }
  TemporaryDirectory directory_;
};

TEST_P(StructureFiles, PlainChain) {
  const std::vector<AtomLine> lines = made_chain(5);
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].chain, "A");
  ASSERT_EQ(segments[0].residues.size(), 5U);
  for (std::size_t r = 0; r < 5; ++r) {
    const ResidueBackbone& residue = segments[0].residues[r];
    EXPECT_EQ(residue.letter, 'A');
    EXPECT_EQ(residue.number, fmt::format("{}", r + 1));
    EXPECT_LT((residue.nitrogen - lines[3 * r].place).norm(), 1e-3);
    EXPECT_LT((residue.alpha - lines[3 * r + 1].place).norm(), 1e-3);
    EXPECT_LT((residue.carbon - lines[3 * r + 2].place).norm(), 1e-3);
  }
}

TEST_P(StructureFiles, AlternateLocationsGoByOccupancyOfTheWholeResidue) {
  std::vector<AtomLine> lines = made_chain(3);
  std::vector<AtomLine> doubled;
  for (const AtomLine& line : lines) {
    if (line.number != 2) {
      doubled.push_back(line);
      continue;
    }
    // B is the larger one by the sum, though not for CA.
    AtomLine a = line;
    a.location = 'A';
    a.occupancy = line.name == "CA" ? 0.6 : 0.3;
    a.place += Eigen::Vector3d(0, 0, 0.05);
    AtomLine b = line;
    b.location = 'B';
    b.occupancy = line.name == "CA" ? 0.4 : 0.7;
    doubled.push_back(a);
    doubled.push_back(b);
  }
  const std::vector<BackboneSegment> segments = read(doubled);
  ASSERT_EQ(segments.size(), 1U);
  ASSERT_EQ(segments[0].residues.size(), 3U);
  EXPECT_LT((segments[0].residues[1].alpha - lines[4].place).norm(), 1e-3) << "conformations are mixed";
  EXPECT_LT((segments[0].residues[1].nitrogen - lines[3].place).norm(), 1e-3);
}

TEST_P(StructureFiles, InsertionCodesAndJumpsOfNumbersAreNoBreaks) {
  std::vector<AtomLine> lines = made_chain(5);
  for (AtomLine& line : lines) {
    if (line.number == 3) {
      line.number = 2;
      line.insertion = 'A';
    } else if (line.number >= 4) {
      line.number += 40;
    }
  }
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 1U);
  ASSERT_EQ(segments[0].residues.size(), 5U);
  EXPECT_EQ(segments[0].residues[2].number, "2A");
  EXPECT_EQ(segments[0].residues[3].number, "44");
}

TEST_P(StructureFiles, SelenomethionineCountsAndWaterDoesNot) {
  std::vector<AtomLine> lines = made_chain(4);
  for (AtomLine& line : lines) {
    if (line.number != 2) continue;
    line.residue = "MSE";
    line.hetero = true;
  }
  AtomLine water = lines.back();
  water.name = "O";
  water.residue = "HOH";
  water.hetero = true;
  water.number = 100;
  lines.push_back(water);
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 1U);
  ASSERT_EQ(segments[0].residues.size(), 4U);
  EXPECT_EQ(segments[0].residues[1].letter, 'M');
}

TEST_P(StructureFiles, OnlyTheFirstModelIsTaken) {
  std::vector<AtomLine> lines = made_chain(3);
  std::vector<AtomLine> second = lines;
  for (AtomLine& line : second) {
    line.model = 2;
    line.place += Eigen::Vector3d(5, 0, 0);
  }
  lines.insert(lines.end(), second.begin(), second.end());
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 1U);
  ASSERT_EQ(segments[0].residues.size(), 3U);
  EXPECT_LT((segments[0].residues[0].nitrogen - lines[0].place).norm(), 1e-3);
}

TEST_P(StructureFiles, BreaksAreSeenInTheCoordinatesNotInTheNumbers) {
  std::vector<AtomLine> lines = made_chain(6);
  // Numbers go on, but residues 4 to 6 are 3 Å away.
  for (AtomLine& line : lines) {
    if (line.number >= 4) line.place += Eigen::Vector3d(0, 3, 0);
  }
  EXPECT_EQ(read(lines).size(), 2U);
  // A residue without CA.
  lines = made_chain(6);
  lines.erase(lines.begin() + 3 * 2 + 1);
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].residues.size(), 2U);
  EXPECT_EQ(segments[1].residues.size(), 3U);
}

TEST_P(StructureFiles, ChainsAreTheAuthors) {
  std::vector<AtomLine> lines = made_chain(3, "A");
  const std::vector<AtomLine> other = made_chain(2, "B");
  lines.insert(lines.end(), other.begin(), other.end());
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].chain, "A");
  EXPECT_EQ(segments[1].chain, "B");
}

TEST_P(StructureFiles, TwoResiduesInOnePlaceGoByOccupancy) {
  std::vector<AtomLine> lines = made_chain(3);
  std::vector<AtomLine> mixed;
  for (const char* kind : {"SER", "GLY"}) {
    for (const AtomLine& line : lines) {
      if (line.number != 2) continue;
      AtomLine copy = line;
      copy.residue = kind;
      copy.location = kind[0] == 'S' ? 'A' : 'B';
      copy.occupancy = kind[0] == 'S' ? 0.4 : 0.6;
      mixed.push_back(copy);
    }
  }
  lines.erase(lines.begin() + 3, lines.begin() + 6);
  lines.insert(lines.begin() + 3, mixed.begin(), mixed.end());
  const std::vector<BackboneSegment> segments = read(lines);
  ASSERT_EQ(segments.size(), 1U);
  ASSERT_EQ(segments[0].residues.size(), 3U);
  EXPECT_EQ(segments[0].residues[1].letter, 'G');
}

INSTANTIATE_TEST_SUITE_P(Formats, StructureFiles, ::testing::Values("pdb", "cif"));

TEST(StructureFilesErrors, BadFilesGiveOneLineThatNamesThem) {
  const TemporaryDirectory directory;
  const auto complains = [&](const std::string& name, const std::string& text) {
    const std::string path = directory.file(name);
    write_file(path, text);
    return throws_message<InvalidInput>([&] { (void)read_backbone_segments(path); }, {name});
  };
  EXPECT_TRUE(complains("empty.pdb", ""));
  EXPECT_TRUE(complains("prose.pdb", "Dear reader,\nthis is no structure.\n"));
  EXPECT_TRUE(complains("empty.cif", ""));
  EXPECT_TRUE(complains("broken.cif", "data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1\n"));
  EXPECT_TRUE(complains("cut.cif", as_mmcif(made_chain(3)).substr(0, 700)));
  EXPECT_TRUE(complains("short.pdb", "ATOM      1  N   ALA A   1      11.1\n"));
  EXPECT_TRUE(complains("swapped.pdb", as_mmcif(made_chain(3))));
  std::string overlong = as_mmcif(made_chain(3));
  overlong.replace(overlong.find("ATOM 1 "), 7, "ATOM 12345678901 ");
  EXPECT_TRUE(complains("overlong.cif", overlong));  // gemmi lets it overflow
  EXPECT_TRUE(complains("bad.cif.gz", "this is not gzip"));
  EXPECT_TRUE(complains("made.xyz", "3\n"));
  std::vector<AtomLine> water = made_chain(2);
  for (AtomLine& line : water) line.residue = "HOH";
  EXPECT_TRUE(complains("water.pdb", as_pdb(water)));
  EXPECT_THROW((void)read_backbone_segments(directory.file("missing.pdb")), InvalidInput);
}

// gemmi reads past the end of the first three, which the address sanitizer sees.
TEST(StructureFilesErrors, RecordsThatAreNoCoordinatesAreNotRead) {
  const TemporaryDirectory directory;
  const std::string chain = as_pdb(made_chain(3));
  write_file(directory.file("plain.pdb"), chain);
  const std::vector<BackboneSegment> plain = read_backbone_segments(directory.file("plain.pdb"));
  const std::string link =
      fmt::format("{:<73}n", "LINK         SG  CYS A   1                 SG  CYS A   2     1555   1555");
  for (const std::string& record :
       {link, fmt::format("{:<73}n", "SSBOND   1 CYS A    1    CYS A    2                          1555   1555"),
        std::string("CISPEP   1 ALA A    1    ALA A    2"), std::string("ANISOU"),
        std::string("REMARK   2 ANGSTROM")}) {
    const std::string path = directory.file("more.pdb");
    write_file(path, record + "\n" + chain);
    const std::vector<BackboneSegment> segments = read_backbone_segments(path);
    ASSERT_EQ(segments.size(), plain.size()) << record;
    ASSERT_EQ(segments[0].residues.size(), 3U);
    EXPECT_EQ(segments[0].residues[1].alpha, plain[0].residues[1].alpha);
  }
  // Messages count lines as the file does.
  write_file(directory.file("short.pdb"), link + "\nATOM      1  N   ALA A   1      11.1\n");
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_backbone_segments(directory.file("short.pdb")); },
                                           {"short.pdb", "line 2"}));
}

TEST(CutFragments, CutsCountsAndSplits) {
  const TemporaryDirectory directory;
  write_file(directory.file("a/one.pdb"), as_pdb(made_chain(17)));
  write_file(directory.file("a/two.cif"), as_mmcif(made_chain(9)));
  write_file(directory.file("a/three.pdb"), as_pdb(made_chain(3)));
  write_file(directory.file("a/cis.pdb"), as_pdb(made_chain(8, "A", 0)));
  std::vector<AtomLine> stretched = made_chain(8);
  stretched[4].place += Eigen::Vector3d(0, 0, 0.4);
  write_file(directory.file("a/stretched.pdb"), as_pdb(stretched));
  write_file(directory.file("a/notes.txt"), "not a structure");
  CutReport report;
  CutOptions options;
  options.residues = 8;
  const BackboneFragments fragments = cut_fragments(directory.file("a"), options, report);
  EXPECT_EQ(fragments.size(), 3);
  EXPECT_EQ(fragments.structures, (std::vector<std::string>{"one", "one", "two"}));
  EXPECT_EQ(fragments.first, (std::vector<std::string>{"1", "9", "1"}));
  EXPECT_EQ(fragments.sequences[0], "AAAAAAAA");
  EXPECT_EQ(report.files, 5);
  EXPECT_EQ(report.too_short, 1);
  EXPECT_EQ(report.cis, 1);
  EXPECT_EQ(report.bad_geometry, 1);
  EXPECT_LT(fragments.coordinates.colwise().sum().cwiseAbs().maxCoeff(), 1e-6) << "centred";

  options.step = 1;
  options.per_chain = 4;
  EXPECT_EQ(cut_fragments(directory.file("a"), options, report).size(), 4 + 2);
  options.allow_cis = true;
  EXPECT_EQ(cut_fragments(directory.file("a"), options, report).size(), 4 + 2 + 1);

  write_file(directory.file("a/bad.cif"), "data_x\nloop_\n");
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)cut_fragments(directory.file("a"), options, report); }, {"bad.cif"}));
  options.skip_bad = true;
  EXPECT_EQ(cut_fragments(directory.file("a"), options, report).size(), 7);
  ASSERT_EQ(report.bad_files.size(), 1U);

  options.residues = 100;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)cut_fragments(directory.file("a"), options, report); },
                                           {"no fragment of 100 residues"}));
  EXPECT_THROW((void)cut_fragments(directory.file("missing"), options, report), InvalidInput);
  write_file(directory.file("b/notes.txt"), "no structures here");
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)cut_fragments(directory.file("b"), options, report); },
                                           {"no structure file"}));
}

TEST(StructureNumbers, NumbersOfLabelsServeWhereAuthorsGaveNone) {
  const TemporaryDirectory directory;
  std::string text = "data_x\nloop_\n";
  for (const char* tag : {"group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id",
                          "label_asym_id", "label_entity_id", "label_seq_id", "pdbx_PDB_ins_code", "Cartn_x", "Cartn_y",
                          "Cartn_z", "occupancy", "B_iso_or_equiv"}) {
    text += std::string("_atom_site.") + tag + "\n";
  }
  text +=
      "ATOM 1 N N . ALA A 1 7 ? 0.0 0.0 0.0 1.0 10.0\nATOM 2 C CA . ALA A 1 7 ? 1.458 0.0 0.0 1.0 10.0\nATOM 3 C C . ALA A 1 7 ? 2.009 1.422 0.0 1.0 10.0\n";
  write_file(directory.file("a.cif"), text);
  const std::vector<BackboneSegment> segments = read_backbone_segments(directory.file("a.cif"));
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].chain, "A");
  ASSERT_EQ(segments[0].residues.size(), 1U);
  EXPECT_EQ(segments[0].residues[0].number, "7");
  EXPECT_EQ(segments[0].residues[0].carbon, Eigen::Vector3d(2.009, 1.422, 0));
}

TEST(StructureFiles, AnEmptyFileIsSaidToBeEmpty) {
  const TemporaryDirectory directory;
  for (const char* name : {"empty.pdb", "empty.cif", "empty.pdb.gz"}) {
    const std::string path = directory.file(name);
    write_file(path, "");
    EXPECT_TRUE(
        throws_message<InvalidInput>([&] { (void)read_backbone_segments(path); }, {path + ": the file is empty"}));
  }
}

}  // namespace
}  // namespace onmanifold
