// SPDX-License-Identifier: Apache-2.0
#include "datasets/readers/structure_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <gemmi/cif.hpp>
#include <gemmi/gz.hpp>
#include <gemmi/mmcif.hpp>
#include <gemmi/pdb.hpp>
#include <gemmi/resinfo.hpp>

#include "core/error.hpp"
#include "manifolds/backbone_geometry.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

constexpr double shortest_peptide = 1.1;
constexpr double longest_peptide = 1.6;
constexpr double bond_tolerance = 0.1;
constexpr double angle_tolerance = 12 * M_PI / 180;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Not std::string::ends_with: this file is C++17 for clang (see CMakeLists.txt).
bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

/// "pdb" or "cif" by the ending, without .gz; empty for other files.
std::string format_of(const fs::path& path) {
  std::string name = lower(path.filename().string());
  if (ends_with(name, ".gz")) name.resize(name.size() - 3);
  for (const char* ending : {".pdb", ".ent"}) {
    if (ends_with(name, ending)) return "pdb";
  }
  for (const char* ending : {".cif", ".mmcif"}) {
    if (ends_with(name, ending)) return "cif";
  }
  return "";
}

/// File name without the endings.
std::string structure_name(const fs::path& path) {
  fs::path name = path.filename();
  if (lower(name.extension().string()) == ".gz") name = name.stem();
  return name.stem().string();
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// The records of a PDB file that atoms, chains and models are read from. gemmi reads past the end of a short LINK,
/// SSBOND or CISPEP, and nothing of the other records is wanted. Lines that go stay as empty ones: messages count as
/// the file does. "data" and "{"da" are how gemmi knows a file of another format.
std::string coordinate_records(const char* text, std::size_t size) {
  static const std::array<const char*, 7> kept = {"ato", "het", "mod", "end", "ter", "dat", "{\"d"};
  std::string records;
  records.reserve(size);
  const char* const end = text + size;
  while (text != end) {
    const char* stop = std::find(text, end, '\n');
    const std::string start = lower(std::string(text, std::min<std::size_t>(3, static_cast<std::size_t>(stop - text))));
    if (std::find(kept.begin(), kept.end(), start) != kept.end()) records.append(text, stop);
    if (stop != end) records += *stop++;
    text = stop;
  }
  return records;
}

/// More digits than gemmi counts without overflow, which it does not look for.
bool is_overlong(const std::string& value) {
  const std::size_t start = value.find_first_not_of(" +-");
  const std::size_t stop = std::min(value.find_first_not_of("0123456789", start), value.size());
  return start != std::string::npos && stop - start > 9;
}

/// gemmi wants the numbers that authors gave; where a file has none, those of the labels are as good. They lose their
/// own name, which nothing here asks for.
void number_by_labels(gemmi::cif::Loop& atoms) {
  std::string* label = nullptr;
  for (std::string& tag : atoms.tags) {
    if (lower(tag) == "_atom_site.auth_seq_id") return;
    if (lower(tag) == "_atom_site.label_seq_id") label = &tag;
  }
  if (label != nullptr) *label = "_atom_site.auth_seq_id";
}

/// The same of a CIF file: its category _atom_site.
void keep_atoms(gemmi::cif::Document& document) {
  const auto check = [](const std::string& value) {
    if (is_overlong(value)) throw InvalidInput(fmt::format("_atom_site: '{}' has more than nine digits", value));
  };
  for (gemmi::cif::Block& block : document.blocks) {
    for (gemmi::cif::Item& item : block.items) {
      const bool pair = item.type == gemmi::cif::ItemType::Pair;
      const bool loop = item.type == gemmi::cif::ItemType::Loop && !item.loop.tags.empty();
      const std::string tag = pair ? item.pair[0] : loop ? item.loop.tags.front() : std::string();
      if (lower(tag.substr(0, 11)) != "_atom_site.") {
        item.erase();
      } else if (pair) {
        check(item.pair[1]);
      } else {
        for (const std::string& value : item.loop.values) check(value);
        number_by_labels(item.loop);
      }
    }
  }
}

gemmi::Structure read_structure(const std::string& path) {
  const std::string format = format_of(path);
  if (format.empty())
    throw InvalidInput(fmt::format("{}: not .pdb, .ent, .cif or .mmcif (or one of them with .gz)", path));
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw InvalidInput(
        fmt::format("{}: {}", path, fs::exists(path, error) ? "not a regular file" : "there is no such file"));
  if (fs::file_size(path, error) == 0) throw InvalidInput(fmt::format("{}: the file is empty", path));
  try {
    const gemmi::CharArray text = gemmi::read_into_buffer(gemmi::MaybeGzipped(path));
    if (format == "pdb") {
      const std::string records = coordinate_records(text.data(), text.size());
      return gemmi::read_pdb_from_memory(records.data(), records.size(), path);
    }
    gemmi::cif::Document document = gemmi::cif::read_memory(text.data(), text.size(), path.c_str());
    keep_atoms(document);
    return gemmi::make_structure(std::move(document));
  } catch (const std::exception& failure) {
    const std::string why = one_line(failure.what());
    throw InvalidInput(why.find(path) == std::string::npos ? fmt::format("{}: {}", path, why) : why);
  }
}

bool is_number(double x) {
  return std::isfinite(x);
}

struct Candidate {
  ResidueBackbone backbone;
  double occupancy;
};

/// The backbone of \p residue in its best conformation; nothing if an atom is missing in all of them.
std::optional<Candidate> best_conformation(const gemmi::Residue& residue) {
  std::vector<char> letters;
  for (const gemmi::Atom& atom : residue.atoms) {
    if (atom.has_altloc() && std::find(letters.begin(), letters.end(), atom.altloc) == letters.end()) {
      letters.push_back(atom.altloc);
    }
  }
  std::sort(letters.begin(), letters.end());
  if (letters.empty()) letters.push_back('\0');
  std::optional<Candidate> best;
  for (const char letter : letters) {
    const std::array<const gemmi::Atom*, 3> atoms = {residue.find_atom("N", letter), residue.find_atom("CA", letter),
                                                     residue.find_atom("C", letter)};
    Candidate candidate{{residue.seqid.str(), 'X', {}, {}, {}}, 0};
    std::array<Eigen::Vector3d*, 3> places = {&candidate.backbone.nitrogen, &candidate.backbone.alpha,
                                              &candidate.backbone.carbon};
    bool complete = true;
    for (std::size_t i = 0; i < 3; ++i) {
      if (atoms[i] == nullptr || !is_number(atoms[i]->pos.x) || !is_number(atoms[i]->pos.y) ||
          !is_number(atoms[i]->pos.z)) {
        complete = false;
        break;
      }
      *places[i] = {atoms[i]->pos.x, atoms[i]->pos.y, atoms[i]->pos.z};
      candidate.occupancy += atoms[i]->occ;
    }
    if (complete && (!best || candidate.occupancy > best->occupancy)) best = candidate;
  }
  return best;
}

bool usable_window(const BackboneSegment& segment, std::size_t begin, Index residues, Points& chain) {
  chain.resize(9 * residues, 1);
  for (Index r = 0; r < residues; ++r) {
    const ResidueBackbone& residue = segment.residues[begin + static_cast<std::size_t>(r)];
    chain.block<3, 1>(9 * r, 0) = residue.nitrogen;
    chain.block<3, 1>(9 * r + 3, 0) = residue.alpha;
    chain.block<3, 1>(9 * r + 6, 0) = residue.carbon;
  }
  const BackboneGeometry& ideal = backbone_geometry("engh-huber-1991");
  const auto atom = [&](Index i) -> Eigen::Vector3d { return chain.block<3, 1>(3 * i, 0); };
  for (Index i = 0; i + 1 < 3 * residues; ++i) {
    const Eigen::Vector3d bond = atom(i + 1) - atom(i);
    if (!(std::abs(bond.norm() - ideal.bond(i)) <= bond_tolerance)) return false;
    if (i + 2 == 3 * residues) break;
    const Eigen::Vector3d next = atom(i + 2) - atom(i + 1);
    const double angle = std::acos(std::clamp(-bond.dot(next) / (bond.norm() * next.norm()), -1.0, 1.0));
    if (!(std::abs(angle - ideal.angle(i)) <= angle_tolerance)) return false;
  }
  return true;
}

bool has_cis_peptide(const Points& chain) {
  const Points torsions = backbone_torsions(chain);
  for (Index j = 1; j < torsions.rows(); j += 3) {
    if (std::abs(torsions(j, 0)) < M_PI / 2) return true;
  }
  return false;
}

std::vector<std::string> structure_paths(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw InvalidInput(fmt::format("{}: there is no such folder", folder));
  std::vector<std::string> paths;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
       it != end && !error; it.increment(error)) {
    if (it->is_regular_file(error) && !format_of(it->path()).empty()) paths.push_back(it->path().string());
  }
  if (error) throw IoError(fmt::format("{}: {}", folder, error.message()));
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) {
    throw InvalidInput(fmt::format("{}: no structure file (.pdb, .ent, .cif, .mmcif, each also with .gz)", folder));
  }
  return paths;
}

}  // namespace

std::vector<BackboneSegment> read_backbone_segments(const std::string& path) {
  const gemmi::Structure structure = read_structure(path);
  std::vector<BackboneSegment> segments;
  if (structure.models.empty()) throw InvalidInput(fmt::format("{}: no atom in it", path));
  for (const gemmi::Chain& chain : structure.models.front().chains) {
    // Residues in the order of the file; nothing where the backbone is not whole.
    std::vector<std::optional<Candidate>> residues;
    const gemmi::Residue* previous = nullptr;
    for (const gemmi::Residue& residue : chain.residues) {
      const gemmi::ResidueInfo info = gemmi::find_tabulated_residue(residue.name);
      const bool unknown_with_backbone = !info.found() && residue.find_atom("CA", '*', gemmi::El::C) != nullptr;
      if (!info.is_amino_acid() && !unknown_with_backbone) continue;
      std::optional<Candidate> candidate = best_conformation(residue);
      if (candidate) {
        const char letter = info.one_letter_code;
        candidate->backbone.letter = info.found() && std::isalpha(static_cast<unsigned char>(letter)) != 0
                                         ? static_cast<char>(std::toupper(static_cast<unsigned char>(letter)))
                                         : 'X';
      }
      if (previous != nullptr && previous->seqid == residue.seqid) {
        // Two residues in one place.
        if (candidate && (!residues.back() || candidate->occupancy > residues.back()->occupancy)) {
          residues.back() = std::move(candidate);
        }
      } else {
        residues.push_back(std::move(candidate));
      }
      previous = &residue;
    }
    bool bonded = false;
    for (const std::optional<Candidate>& residue : residues) {
      if (!residue) {
        bonded = false;
        continue;
      }
      if (bonded) {
        const double peptide = (residue->backbone.nitrogen - segments.back().residues.back().carbon).norm();
        bonded = peptide >= shortest_peptide && peptide <= longest_peptide;
      }
      if (!bonded) segments.push_back({chain.name, {}});
      segments.back().residues.push_back(residue->backbone);
      bonded = true;
    }
  }
  if (segments.empty()) throw InvalidInput(fmt::format("{}: no protein residue with N, CA and C in it", path));
  return segments;
}

BackboneFragments cut_fragments(const std::string& folder, const CutOptions& options, CutReport& report) {
  if (options.residues < 2 || options.residues > 512) {
    throw InvalidInput(fmt::format("fragments of {} residues; 2 to 512 can be cut", options.residues));
  }
  const Index step = options.step == 0 ? options.residues : options.step;
  if (step < 1 || options.per_chain < 0) throw InvalidInput("fragments: step and per-chain must be positive");
  report = {};
  BackboneFragments fragments;
  fragments.residues = options.residues;
  std::vector<Points> columns;
  for (const std::string& path : structure_paths(folder)) {
    ++report.files;
    std::vector<BackboneSegment> segments;
    try {
      segments = read_backbone_segments(path);
    } catch (const InvalidInput& error) {
      if (!options.skip_bad) throw;
      report.bad_files.emplace_back(error.what());
      continue;
    }
    std::map<std::string, Index> taken;
    for (const BackboneSegment& segment : segments) {
      ++report.segments;
      const auto length = static_cast<Index>(segment.residues.size());
      if (length < options.residues) ++report.too_short;
      for (Index begin = 0; begin + options.residues <= length; begin += step) {
        if (options.per_chain > 0 && taken[segment.chain] >= options.per_chain) break;
        Points chain;
        if (!usable_window(segment, static_cast<std::size_t>(begin), options.residues, chain)) {
          ++report.bad_geometry;
          continue;
        }
        if (!options.allow_cis && has_cis_peptide(chain)) {
          ++report.cis;
          continue;
        }
        ++taken[segment.chain];
        columns.push_back(chain);
        fragments.structures.push_back(structure_name(path));
        fragments.chains.push_back(segment.chain);
        fragments.first.push_back(segment.residues[static_cast<std::size_t>(begin)].number);
        std::string sequence;
        for (Index r = 0; r < options.residues; ++r) {
          sequence.push_back(segment.residues[static_cast<std::size_t>(begin + r)].letter);
        }
        fragments.sequences.push_back(std::move(sequence));
      }
    }
  }
  if (columns.empty()) {
    throw InvalidInput(fmt::format(
        "{}: no fragment of {} residues in {} files ({} of {} segments are shorter; {} windows "
        "have unusual bonds or "
        "angles, {} a cis peptide)",
        folder, options.residues, report.files, report.too_short, report.segments, report.bad_geometry, report.cis));
  }
  fragments.coordinates.resize(9 * options.residues, static_cast<Index>(columns.size()));
  for (std::size_t j = 0; j < columns.size(); ++j) {
    // Near the origin, so that the integers of the file are small.
    for (Index i = 0; i < 3; ++i) {
      double mean = 0;
      for (Index a = 0; a < 3 * options.residues; ++a) mean += columns[j](3 * a + i, 0);
      mean /= static_cast<double>(3 * options.residues);
      for (Index a = 0; a < 3 * options.residues; ++a) {
        fragments.coordinates(3 * a + i, static_cast<Index>(j)) = columns[j](3 * a + i, 0) - mean;
      }
    }
  }
  fragments.origin = fmt::format("{} structure files of {}", report.files, folder);
  fragments.licence = "that of the structures";
  split_by_cluster(fragments);
  return fragments;
}

}  // namespace onmanifold
