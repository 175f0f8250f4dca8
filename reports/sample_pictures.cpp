// SPDX-License-Identifier: Apache-2.0
#include "reports/sample_pictures.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "contracts/image_layout.hpp"
#include "core/error.hpp"
#include "reports/html_table.hpp"
#include "reports/picture.hpp"
#include "reports/sample_views.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

// What keeps the page of `quick` well below 5 MB, three.js (0.9 MB) included.
constexpr Index points_per_arm = 2000;
constexpr double bytes_for_points = 1.8e6;
constexpr Index points_per_panel = 600;
constexpr double bytes_for_panels = 0.6e6;
constexpr Index faces_per_mesh = 10000;
constexpr Index images_per_arm = 10;
constexpr Index traces_per_arm = 12;

View view_of(const TaskFile& file) {
  if (file.reference.cols() == 0 || first_nonfinite_column(file.reference) >= 0) return View::none;
  if (file.reference.rows() == 3) return View::space;
  if (file.image) return View::images;
  const std::string& spec = file.manifold_spec;
  if (spec == "so3" && file.reference.rows() == 9) return View::rotations;
  return spec.starts_with("backbone") && spec.find("frame=middle") != std::string::npos ? View::backbones : View::none;
}

ArmPicture picture_of(const Arm& arm, const CellKey& key, RawCell raw, View view) {
  const Index n = std::min(view == View::images ? images_per_arm : points_per_arm, raw.raw.cols());
  ArmPicture picture;
  picture.label = arm.learns() ? arm_label(arm.method, arm.lift) : short_label(arm);
  picture.seed = key.seed;
  picture.learner = arm.learns();
  picture.lift = arm.lift_type;
  picture.raw = raw.raw.leftCols(n);
  picture.projected = raw.projected.cols() == raw.raw.cols() ? raw.projected.leftCols(n) : raw.raw.leftCols(n);
  if (raw.nearest_training.rows() == raw.raw.rows() && raw.nearest_training.allFinite()) {
    picture.nearest_training = std::move(raw.nearest_training);
  }
  if (view == View::rotations) {
    picture.moved = (picture.raw - picture.projected).colwise().norm();
    picture.projected = rotation_vectors(picture.projected);
    picture.raw = picture.projected;
  }
  return picture;
}

Value vector_value(const Eigen::Vector3d& v) {
  return Value::Array{v(0), v(1), v(2)};
}

// "sphere:dim=2,radius=1.5" -> 1.5; 1 where the radius is not given, NaN for other manifolds.
double sphere_radius(const std::string& spec) {
  if (!spec.starts_with("sphere")) return MetricRecord::unknown;
  const std::size_t at = spec.find("radius=");
  if (at == std::string::npos) return 1.0;
  try {
    return std::stod(spec.substr(at + 7));
  } catch (const std::exception&) {
    return MetricRecord::unknown;
  }
}

// All that the picture must hold: reference and surface.
Points frame_points(const TaskFile& file, const Points& reference, double radius) {
  std::vector<Points> parts = {reference};
  if (file.mesh_vertices.rows() == 3) parts.push_back(file.mesh_vertices);
  if (radius > 0.0) {
    Points axes(3, 6);
    axes << radius * Eigen::Matrix3d::Identity(), -radius * Eigen::Matrix3d::Identity();
    parts.push_back(axes);
  }
  Index columns = 0;
  for (const Points& part : parts) columns += part.cols();
  Points all(3, columns);
  Index at = 0;
  for (const Points& part : parts) {
    all.middleCols(at, part.cols()) = part;
    at += part.cols();
  }
  return all;
}

Value surface_value(const TaskFile& file, const PictureFrame& frame, double radius) {
  if (file.mesh_vertices.cols() > 0 && file.mesh_faces.cols() > 0) {
    const PictureMesh mesh = decimate_mesh(file.mesh_vertices, file.mesh_faces, faces_per_mesh);
    Index outside = 0;
    return Value::Table{{"kind", "mesh"},
                        {"vertices", encode_points(mesh.vertices, mesh.vertices.cols(), frame, outside)},
                        {"faces", encode_faces(mesh.faces)}};
  }
  if (radius > 0.0) {
    return Value::Table{
        {"kind", "sphere"}, {"radius", radius / frame.half}, {"centre", vector_value(-frame.centre / frame.half)}};
  }
  if (frame.flat) return Value::Table{{"kind", "plane"}};
  return {};
}

// JSON that can stand in a script element.
std::string script_json(const Value& value) {
  std::string text;
  for (const char c : to_json(value)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

// The first learner that was lifted along the normals, if there is one, else the first learner, is shown first.
std::size_t shown_first(const std::vector<ArmPicture>& arms) {
  const auto first = [&](const auto& wanted) {
    return static_cast<std::size_t>(std::find_if(arms.begin(), arms.end(), wanted) - arms.begin());
  };
  const std::size_t lifted = first([](const ArmPicture& arm) { return arm.learner && arm.lift == LiftType::normal; });
  const std::size_t learner = first([](const ArmPicture& arm) { return arm.learner; });
  return lifted < arms.size() ? lifted : learner < arms.size() ? learner : 0;
}

Value figure_value(std::string svg, const std::string& label, const std::string& detail, bool reference = false) {
  return Value::Table{{"svg", std::move(svg)},  {"label", label},   {"detail", detail},
                      {"reference", reference}, {"image", Value()}, {"problem", ""}};
}

Value sheet_value(const std::string& title, const std::string& hint, Value::Array figures, bool images = false) {
  return Value::Table{{"title", title}, {"hint", hint}, {"figures", std::move(figures)}, {"images", images}};
}

std::string sheets_html(Value::Array sheets) {
  static const Template page = page_template("sheets");
  return page.render(Value::Table{{"sheets", std::move(sheets)}});
}

std::string viewer_html(std::size_t index, const TaskFile& file, const TaskPictures& pictures,
                        const PointBudget& budget) {
  const bool rotations = pictures.view == View::rotations;
  const Points truth = rotations ? rotation_vectors(file.reference) : file.reference;
  const double radius = rotations ? std::numbers::pi : sphere_radius(file.manifold_spec);
  const PictureFrame frame = make_frame(frame_points(file, truth, radius));
  Value::Array scene_arms;
  Value::Array choices;
  Value::Array panels;
  const auto panel = [&](const std::string& label, const std::string& detail, const Points& points, bool reference) {
    panels.push_back(
        figure_value(scatter_svg(points, budget.panel, frame, "Points of " + label), label, detail, reference));
  };
  panel("reference", "the true distribution", truth, true);
  const std::size_t selected = shown_first(pictures.arms);
  for (std::size_t a = 0; a < pictures.arms.size(); ++a) {
    const ArmPicture& arm = pictures.arms[a];
    Index outside_projected = 0;
    const std::string projected = encode_points(arm.projected, budget.view, frame, outside_projected);
    Index outside_raw = outside_projected;
    Value::Table scene_arm = {{"label", arm.label}, {"learner", arm.learner}, {"projected", projected}};
    if (rotations) {
      scene_arm["moved"] = encode_floats(arm.moved.head(std::min(budget.view, arm.moved.size())) / frame.half);
    } else {
      scene_arm["raw"] = encode_points(arm.raw, budget.view, frame, outside_raw);
    }
    scene_arm["outside"] = Value::Table{{"raw", static_cast<std::int64_t>(outside_raw)},
                                        {"projected", static_cast<std::int64_t>(outside_projected)}};
    scene_arms.push_back(std::move(scene_arm));
    choices.push_back(Value::Table{{"label", arm.label}, {"selected", a == selected}});
    const double share =
        100.0 * static_cast<double>(outside_raw) / static_cast<double>(std::min(budget.view, arm.raw.cols()));
    panel(arm.label,
          fmt::format("{}, seed {}{}", rotations ? "nearest rotations" : "raw", arm.seed,
                      outside_raw == 0 ? "" : fmt::format("; {:.2g} % outside", share)),
          arm.raw, false);
  }
  Index ignored = 0;
  const Value scene = Value::Table{{"half", frame.half},
                                   {"flat", frame.flat},
                                   {"right", vector_value(frame.right)},
                                   {"up", vector_value(frame.up)},
                                   {"axis", vector_value(frame.axis)},
                                   {"toward", vector_value(frame.toward)},
                                   {"surface", surface_value(file, frame, radius)},
                                   {"reference", encode_points(truth, budget.view, frame, ignored)},
                                   {"arms", std::move(scene_arms)}};
  const std::string hint =
      fmt::format("{} points each, equal axes{}.", std::min(budget.panel, file.reference.cols()),
                  frame.flat ? ", seen along the normal of the plane" : "; points on the far side are pale");
  static const Template page = page_template("viewer");
  return page.render(
      Value::Table{{"index", static_cast<std::int64_t>(index)},
                   {"name", file.name},
                   {"arms", std::move(choices)},
                   {"rotations", rotations},
                   {"points", static_cast<std::int64_t>(std::min(budget.view, file.reference.cols()))},
                   {"panels", sheets_html({sheet_value("The same, side by side", hint, std::move(panels))})},
                   {"scene", script_json(scene)}});
}

// Real | generated | nearest training image, one sheet an arm.
std::string images_html(const TaskFile& file, const TaskPictures& pictures) {
  const ImageLayout& layout = *file.image;
  // White is what the brightest pixel of an image is in the mean.
  const double white = file.reference.leftCols(std::min<Index>(200, file.reference.cols())).colwise().maxCoeff().mean();
  if (!(white > 0.0)) return "";
  Value::Array figures;
  const auto add = [&](const Points& images, const std::string& words, const std::string& label,
                       const std::string& detail, bool reference) {
    Value::Table figure = *figure_value("", label, detail, reference).get_if<Value::Table>();
    if (images.allFinite()) {
      const Index rows = (images.cols() + images_per_arm - 1) / images_per_arm;
      figure["image"] = Value::Table{{"words", words},
                                     {"width", static_cast<std::int64_t>(images_per_arm * (layout.width + 1) - 1)},
                                     {"height", static_cast<std::int64_t>(rows * (layout.height + 1) - 1)},
                                     {"data", base64(image_sheet_png(layout, images, images_per_arm, white))}};
    } else {
      figure["problem"] = "not finite";
    }
    figures.push_back(std::move(figure));
  };
  add(file.reference.leftCols(std::min(images_per_arm, file.reference.cols())), "Real images", "real",
      "the true distribution", true);
  for (const ArmPicture& arm : pictures.arms) {
    const Points generated = arm.raw.leftCols(std::min(images_per_arm, arm.raw.cols()));
    Points pairs(generated.rows(), generated.cols() + arm.nearest_training.cols());
    pairs << generated, arm.nearest_training;
    add(pairs,
        fmt::format("Images of {}{}", arm.label,
                    arm.nearest_training.cols() == 0 ? "" : " above the nearest training images"),
        arm.label, fmt::format("raw, seed {}", arm.seed), false);
  }
  return sheets_html({sheet_value(
      "Generated images and their nearest training images",
      "First row: generated, raw; second row: to each the nearest image of its own training set, by Euclidean distance, "
      "where the file of the cell has it. All sheets have one scale of grey; values below 0 are black.",
      std::move(figures), true)});
}

// Torsions and traces, real and generated.
std::string backbones_html(const TaskFile& file, const TaskPictures& pictures, Index n_panel) {
  const Points real = backbone_torsion_pairs(file.reference);
  Index n = std::min(n_panel, real.cols());
  for (const ArmPicture& arm : pictures.arms) n = std::min(n, backbone_torsion_pairs(arm.raw).cols());
  // Room for the farthest atom of the real chains.
  const double half = 1.1 * file.reference.cwiseAbs().maxCoeff();
  Value::Array torsions;
  Value::Array traces;
  const auto add = [&](const Points& chains, const Points& pairs, const std::string& of, const std::string& label,
                       const std::string& detail, bool reference) {
    if (n > 0)
      torsions.push_back(figure_value(ramachandran_svg(pairs, n, "Torsions of " + of), label, detail, reference));
    traces.push_back(
        figure_value(trace_svg(chains, traces_per_arm, half, "Traces of " + of), label, detail, reference));
  };
  add(file.reference, real, "real backbones", "real", "the true distribution", true);
  for (const ArmPicture& arm : pictures.arms) {
    add(arm.raw, backbone_torsion_pairs(arm.raw), arm.label, arm.label, fmt::format("raw, seed {}", arm.seed), false);
  }
  Value::Array sheets;
  if (n > 0) {
    sheets.push_back(sheet_value(
        "Ramachandran plots",
        fmt::format(
            "{} pairs (φ to the right, ψ upwards, −180° to 180°) each, of the residues that are not next to the "
            "middle one, whose atoms are no data.",
            n),
        std::move(torsions)));
  }
  sheets.push_back(sheet_value("Backbones",
                               fmt::format("Cα traces of {} chains each in the frame of the middle residue, seen along "
                                           "its third axis; the picture is {:.0f} Å wide.",
                                           traces_per_arm, 2.0 * half),
                               std::move(traces)));
  return sheets_html(std::move(sheets));
}

std::string why_no_view(const TaskResult& task) {
  if (!task.file) return task.problem;
  if (task.file->reference.cols() == 0) return "the task file holds no reference points";
  if (first_nonfinite_column(task.file->reference) >= 0) return "the reference points are not finite";
  return "only points of space, rotations, images and backbones are drawn";
}

}  // namespace

PointBudget point_budget(std::size_t clouds) {
  const auto n = static_cast<double>(clouds);
  // 16 bytes of Base64 a point and its projection; about 9 bytes a point in a static view.
  return {.view = std::min(points_per_arm, static_cast<Index>(bytes_for_points / 16.0 / n)),
          .panel = std::min(points_per_panel, static_cast<Index>(bytes_for_panels / 9.0 / n))};
}

TaskPictures load_pictures(const std::string& directory, const TaskAnalysis& task) {
  TaskPictures pictures;
  const std::optional<TaskFile>& file = task.result->file;
  pictures.view = file ? view_of(*file) : View::none;
  if (pictures.view == View::none) {
    pictures.none = why_no_view(*task.result);
    return pictures;
  }
  for (const Arm& arm : task.summary.arms) {
    for (const CellResult* cell : arm.cells) {
      if (!cell->head.status.ok() || cell->submission) continue;
      try {
        RawCell raw = read_raw_cell(cell->key.raw_path(directory));
        if (raw.raw.cols() == 0 || raw.raw.rows() != file->reference.rows()) continue;
        pictures.arms.push_back(picture_of(arm, cell->key, std::move(raw), pictures.view));
        break;
      } catch (const std::runtime_error& error) {
        pictures.problems.push_back(fmt::format("{}: {}", cell->key.text(), error.what()));
      }
    }
  }
  return pictures;
}

std::string pictures_html(std::size_t index, const TaskFile& file, const TaskPictures& pictures,
                          const PointBudget& budget) {
  switch (pictures.view) {
    case View::space:
    case View::rotations:
      return viewer_html(index, file, pictures, budget);
    case View::images:
      return images_html(file, pictures);
    case View::backbones:
      return backbones_html(file, pictures, budget.panel);
    case View::none:
      break;
  }
  return "";
}

}  // namespace onmanifold
