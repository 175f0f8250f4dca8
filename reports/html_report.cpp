// SPDX-License-Identifier: Apache-2.0
#include "reports/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "contracts/image_layout.hpp"
#include "core/error.hpp"
#include "reports/assets.hpp"
#include "reports/axis_table.hpp"
#include "reports/claim_table.hpp"
#include "reports/csv_table.hpp"
#include "reports/diagnostic_table.hpp"
#include "reports/gnuplot.hpp"
#include "reports/html_table.hpp"
#include "reports/latex_table.hpp"
#include "reports/lift_effect.hpp"
#include "reports/narrative.hpp"
#include "reports/picture.hpp"
#include "reports/published.hpp"
#include "reports/ranking.hpp"
#include "reports/sample_views.hpp"
#include "reports/table.hpp"
#include "reports/task_figures.hpp"
#include "results/provenance.hpp"

namespace onmanifold {
namespace {

// What keeps the page of `quick` well below 5 MB, three.js (0.9 MB) included.
constexpr Index points_per_arm = 2000;
constexpr double bytes_for_points = 1.8e6;
constexpr Index points_per_panel = 600;
constexpr double bytes_for_panels = 0.6e6;
constexpr Index faces_per_mesh = 10000;
constexpr std::size_t bytes_for_csv = 1200000;
constexpr std::size_t bytes_for_latex = 400000;
constexpr Index images_per_arm = 10;
constexpr Index traces_per_arm = 12;

// The samples of an arm that a picture shows.
struct ArmPicture {
  std::string label;
  int seed = 0;
  ArmRole role = ArmRole::learner;
  Points raw;
  Points projected;
  Vector moved;             ///< rotations alone: from raw to projected in R^9; both are drawn at the nearest rotation
  Points nearest_training;  ///< images alone, may be empty
};

// What of a task can be drawn.
enum class View { none, space, rotations, images, backbones };

struct TaskPictures {
  View view = View::none;
  std::vector<ArmPicture> arms;
  std::vector<std::string> problems;  ///< cells that could not be read
};

std::string row_label(const Arm& arm) {
  return arm.role == ArmRole::learner ? arm_label(arm.method, arm.lift)
                                      : arm_label(arm.method, arm.lift == "none" ? "" : arm.lift);
}

View view_of(const TaskFile& file) {
  if (file.reference.cols() == 0 || first_nonfinite_column(file.reference) >= 0) return View::none;
  if (file.reference.rows() == 3) return View::space;
  if (file.image) return View::images;
  const std::string& spec = file.manifold_spec;
  if (spec == "so3" && file.reference.rows() == 9) return View::rotations;
  return spec.starts_with("backbone") && spec.find("frame=middle") != std::string::npos ? View::backbones : View::none;
}

// Samples of one cell an arm.
TaskPictures load_pictures(const std::string& directory, const TaskResult& task, const TaskSummary& summary) {
  TaskPictures pictures;
  const View view = task.file ? view_of(*task.file) : View::none;
  pictures.view = view;
  if (view == View::none) return pictures;
  for (const Arm& arm : summary.arms) {
    for (const CellResult& cell : task.cells) {
      if (cell.key.method != arm.method || cell.key.lift != arm.lift || !cell.head.status.ok() || cell.submission)
        continue;
      try {
        const RawCell raw = read_raw_cell(cell.key.raw_path(directory));
        if (raw.raw.cols() == 0 || raw.raw.rows() != task.file->reference.rows()) continue;
        const Index n = std::min(view == View::images ? images_per_arm : points_per_arm, raw.raw.cols());
        ArmPicture picture;
        picture.label = row_label(arm);
        picture.seed = cell.key.seed;
        picture.role = arm.role;
        picture.raw = raw.raw.leftCols(n);
        picture.projected = raw.projected.cols() == raw.raw.cols() ? raw.projected.leftCols(n) : raw.raw.leftCols(n);
        if (raw.nearest_training.rows() == raw.raw.rows() && raw.nearest_training.allFinite())
          picture.nearest_training = raw.nearest_training;
        if (view == View::rotations) {
          picture.moved = (picture.raw - picture.projected).colwise().norm();
          picture.projected = rotation_vectors(picture.projected);
          picture.raw = picture.projected;
        }
        pictures.arms.push_back(std::move(picture));
        break;
      } catch (const std::runtime_error& error) {
        pictures.problems.push_back(fmt::format("{}: {}", cell.key.text(), error.what()));
      }
    }
  }
  return pictures;
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

std::string viewer_html(std::size_t index, const TaskFile& file, const TaskPictures& pictures, Index n_points,
                        Index n_panel) {
  const bool rotations = pictures.view == View::rotations;
  const Points truth = rotations ? rotation_vectors(file.reference) : file.reference;
  const double radius = rotations ? std::numbers::pi : sphere_radius(file.manifold_spec);
  const PictureFrame frame = make_frame(frame_points(file, truth, radius));
  Value::Array arms;
  std::string options;
  std::string panels;
  const auto panel = [&](const std::string& label, const std::string& detail, const Points& points, bool reference) {
    panels +=
        fmt::format("<figure{}>{}<figcaption>{} <span>{}</span></figcaption></figure>\n",
                    reference ? " class=\"is-reference\"" : "",
                    scatter_svg(points, n_panel, frame, "Points of " + label), escape_html(label), escape_html(detail));
  };
  panel("reference", "the true law", truth, true);
  // The first learner that was lifted along the normals, if there is one, else the first learner, is shown
  // first.
  std::size_t selected = 0;
  int rank = 0;
  for (std::size_t a = 0; a < pictures.arms.size(); ++a) {
    const ArmPicture& arm = pictures.arms[a];
    const int arm_rank = arm.role != ArmRole::learner ? 0 : arm.label.find(" normal") != std::string::npos ? 2 : 1;
    if (arm_rank > rank) {
      rank = arm_rank;
      selected = a;
    }
  }
  for (std::size_t a = 0; a < pictures.arms.size(); ++a) {
    const ArmPicture& arm = pictures.arms[a];
    Index outside_projected = 0;
    const std::string projected = encode_points(arm.projected, n_points, frame, outside_projected);
    Index outside_raw = outside_projected;
    Value::Table shown_arm = {
        {"label", arm.label}, {"learner", arm.role == ArmRole::learner}, {"projected", projected}};
    if (rotations) {
      shown_arm["moved"] = encode_floats(arm.moved.head(std::min(n_points, arm.moved.size())) / frame.half);
    } else {
      shown_arm["raw"] = encode_points(arm.raw, n_points, frame, outside_raw);
    }
    shown_arm["outside"] = Value::Table{{"raw", static_cast<std::int64_t>(outside_raw)},
                                        {"projected", static_cast<std::int64_t>(outside_projected)}};
    arms.push_back(std::move(shown_arm));
    options += fmt::format("<option{}>{}</option>", a == selected ? " selected" : "", escape_html(arm.label));
    const Index shown = std::min(n_points, arm.raw.cols());
    panel(arm.label,
          fmt::format("{}, seed {}{}", rotations ? "nearest rotations" : "raw", arm.seed,
                      outside_raw == 0 ? ""
                                       : fmt::format("; {:.2g} % outside", 100.0 * static_cast<double>(outside_raw) /
                                                                               static_cast<double>(shown))),
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
                                   {"reference", encode_points(truth, n_points, frame, ignored)},
                                   {"arms", arms}};
  const std::string name = escape_html(file.name);
  return fmt::format(
      "<h3 id=\"view-{0}\">Generated points beside the reference</h3>\n"
      "<div class=\"viewer\" data-scene=\"scene-{0}\">\n"
      "<p class=\"viewer-message\" data-fallback=\"The static views below show the same points.\">The "
      "interactive view "
      "needs JavaScript and WebGL. The static views below show the same points.</p>\n"
      "<div class=\"viewer-live\" hidden>\n<div class=\"viewer-controls\">"
      "<label>Arm <select aria-label=\"Arm shown for {1}\">{2}</select></label>"
      "{8}<label><input type=\"checkbox\" class=\"by-distance\" checked> colour by distance moved</label>"
      "<button type=\"button\">Reset view</button></div>\n"
      "<div class=\"stage\"><canvas tabindex=\"0\" role=\"img\" aria-label=\"Interactive view of {1}: "
      "reference points "
      "and the points of one arm on their manifold. Arrow keys turn, plus and minus zoom, 0 "
      "resets.\"></canvas>"
      "<span class=\"stage-label\">reference<small>{3} points of the true law</small></span>"
      "<span class=\"stage-label second\"><b></b><small></small></span></div>\n"
      "<div class=\"scale\"><span>moved by the projection: 0</span><i></i><span "
      "class=\"scale-end\"></span></div>\n"
      "<p class=\"hint\">Drag to turn both views; wheel or pinch zooms once the view is selected; arrow "
      "keys, +, − and 0 "
      "do the same.{9}</p>\n</div>\n</div>\n"
      "<h3>The same, side by side</h3>\n<p class=\"hint\">{4} points each, equal axes{5}.</p>\n"
      "<div class=\"sheet\">\n{6}</div>\n"
      "<script type=\"application/json\" id=\"scene-{0}\">{7}</script>\n",
      index, name, options, std::min(n_points, file.reference.cols()), std::min(n_panel, file.reference.cols()),
      frame.flat ? ", seen along the normal of the plane" : "; points on the far side are pale", panels,
      script_json(scene),
      rotations ? ""
                : fmt::format("<fieldset><legend>Samples</legend>"
                              "<label><input type=\"radio\" name=\"kind-{0}\" value=\"raw\" checked> raw</label>"
                              "<label><input type=\"radio\" name=\"kind-{0}\" value=\"projected\"> projected</label>"
                              "</fieldset>",
                              index),
      rotations
          ? " A point is a rotation: its direction from the centre is the axis, its distance the angle, up to π on "
            "the ball's surface, where opposite points are the same rotation. Raw samples are drawn at the nearest "
            "rotation; their colour says how far from it they were, in R⁹."
          : "");
}

// The columns of default_columns(), and before them the first metric where it is none of these.
std::vector<int> main_columns(const TaskSummary& summary) {
  std::vector<int> columns = chosen_columns(summary, default_columns());
  const int primary = primary_column(summary);
  if (primary >= 0 && std::find(columns.begin(), columns.end(), primary) == columns.end()) {
    columns.insert(columns.begin(), primary);
  }
  return columns;
}

std::string tables_html(std::size_t index, const TaskResult& task, const TaskSummary& summary,
                        const std::set<std::string>& defined) {
  struct Pane {
    std::string label;
    std::string caption;
    Table table;
    bool rows_are_arms = true;
  };
  std::vector<Pane> panes = {
      {"Main metrics", "Main metrics: mean ± standard deviation over seeds",
       make_table(task, summary, main_columns(summary))},
      {"All, projected", "All metrics of projected samples",
       make_table(task, summary, all_columns(summary, SampleKind::projected))},
      {"All, raw", "All metrics of raw samples", make_table(task, summary, all_columns(summary, SampleKind::raw))}};
  if (auto axis = make_axis_table(task, summary)) {
    panes.push_back({"By place", "Where the mismatch is handled: " + axis->description, std::move(*axis), false});
  }
  for (Table& diagnostic : make_diagnostic_tables(task, summary)) {
    const std::string label = diagnostic.title.substr(diagnostic.title.rfind(": ") + 2);
    panes.push_back({escape_html(label), diagnostic.title + ". " + diagnostic.description, std::move(diagnostic)});
  }
  // A radio button, its label and its pane stand side by side, so that the style needs no numbers.
  std::string html = "<h3>Metrics</h3>\n<div class=\"tables\">\n";
  for (std::size_t i = 0; i < panes.size(); ++i) {
    const Pane& pane = panes[i];
    html += fmt::format(
        "<input type=\"radio\" name=\"table-{0}\" id=\"table-{0}-{1}\"{2}><label "
        "for=\"table-{0}-{1}\">{3}</label>\n"
        "<div class=\"pane\">\n{4}<ul class=\"footnotes\">\n",
        index, i, i == 0 ? " checked" : "", pane.label,
        table_html(pane.table, pane.caption, pane.rows_are_arms, defined));
    for (const std::string& note : pane.table.footnotes) {
      html += fmt::format("<li{}>{}</li>\n", note.starts_with("✗") ? " class=\"problem\"" : "", escape_html(note));
    }
    html += "</ul>\n</div>\n";
  }
  return html + "</div>\n";
}

std::string measured_html(double value, double spread) {
  const FormattedValue text = format_measured(value, spread);
  return text.spread.empty()
             ? escape_html(text.value)
             : fmt::format("{} <span class=\"sd\">± {}</span>", escape_html(text.value), escape_html(text.spread));
}

// The share of the way from gaussian (0) to the oracle (1) that an arm has come, as words.
std::string way_text(const TaskSummary& summary, std::size_t c, std::size_t arm) {
  const MetricColumn& column = summary.columns[c];
  double floor = MetricRecord::unknown;
  double ceiling = MetricRecord::unknown;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (summary.arms[a].method == "gaussian") floor = loss(column, summary.table[a][c].mean);
    if (summary.arms[a].role == ArmRole::oracle) ceiling = loss(column, summary.table[a][c].mean);
  }
  const double value = loss(column, summary.table[arm][c].mean);
  if (value > floor) return "worse than gaussian";
  if (!(floor > ceiling) || !std::isfinite(value)) return "—";
  return fmt::format("{:.0f} %", 100.0 * (floor - value) / (floor - ceiling));
}

// Which arm is best in each task, by how much, and between which ends.
std::string overview_html(const ResultSet& results, const std::vector<TaskSummary>& summaries,
                          const std::set<std::string>& defined) {
  std::string rows;
  for (std::size_t t = 0; t < summaries.size(); ++t) {
    const TaskSummary& summary = summaries[t];
    const TaskOverview overview = task_overview(results.tasks[t], summary);
    rows +=
        fmt::format("<tr><th scope=\"row\"><a href=\"#task-{}\">{}</a></th>", t, escape_html(results.tasks[t].name));
    if (overview.column < 0) {
      rows += fmt::format("<td class=\"words\" colspan=\"8\">— {}</td></tr>\n",
                          escape_html(overview.reason.empty() ? "no metric has been computed" : overview.reason));
      continue;
    }
    const auto c = static_cast<std::size_t>(overview.column);
    const MetricColumn& column = summary.columns[c];
    const auto arm_name = [&](std::size_t a) {
      return escape_html(summary.arms[a].method) +
             (summary.arms[a].lift == "none" ? "" : " <small>" + escape_html(summary.arms[a].lift) + "</small>");
    };
    const auto end_value = [&](const char* method) {
      for (std::size_t a = 0; a < summary.arms.size(); ++a) {
        const Summary& entry = summary.table[a][c];
        if (summary.arms[a].method == method) return measured_html(entry.mean, entry.sd);
      }
      return std::string("—");
    };
    rows += fmt::format("<td class=\"words\">{} {}</td>",
                        defined.contains(column.name)
                            ? fmt::format("<a href=\"#{}\">{}</a>", definition_id(column.name), breakable(column.name))
                            : breakable(column.name),
                        escape_html(direction_arrow(column.direction, column.target)));
    if (overview.best < 0) {
      rows += fmt::format("<td class=\"words\" colspan=\"4\">— {}</td>", escape_html(overview.reason));
    } else {
      const auto b = static_cast<std::size_t>(overview.best);
      const Summary& best = summary.table[b][c];
      std::string tied;
      for (std::size_t a = 0; a < summary.arms.size(); ++a) {
        if (a != b && summary.table[a][c].best) tied += (tied.empty() ? "" : ", ") + arm_name(a);
      }
      std::string next = "—";
      if (overview.second >= 0) {
        next = arm_name(static_cast<std::size_t>(overview.second));
        if (overview.standard_error > 0.0) {
          next += fmt::format(" <span class=\"sd\" title=\"{}\">{:.1f} s.e. behind</span>",
                              overview.pairs > 0 ? fmt::format("paired over {} seeds", overview.pairs) : "of two means",
                              overview.difference / overview.standard_error);
        }
      }
      rows += fmt::format(
          "<td class=\"words\"><strong>{}</strong>{}</td><td class=\"{}\">{}</td><td "
          "class=\"words\">{}</td><td>{}</td>",
          arm_name(b), tied.empty() ? "" : fmt::format("<br><span class=\"sd\">shared with {}</span>", tied),
          best.at_floor ? "floor" : "value", measured_html(best.mean, best.sd), next, way_text(summary, c, b));
    }
    rows += fmt::format("<td>{}</td><td>{}</td><td>{}</td></tr>\n", end_value("gaussian"), end_value("oracle"),
                        measured_html(column.null, column.null_sd));
  }
  return fmt::format(
      "<section id=\"overview\">\n<h2>Which arm is best, and by how much</h2>\n"
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Best arm of each task\"><table "
      "class=\"overview\">"
      "<caption>Each task by the first of its main metrics, mean ± standard deviation over seeds</caption>\n"
      "<thead><tr><th scope=\"col\"><span>Task</span></th><th scope=\"col\" class=\"words\"><span>Judged "
      "by</span></th>"
      "<th scope=\"col\" class=\"words\"><span>Best learner</span></th><th "
      "scope=\"col\"><span>Value</span></th>"
      "<th scope=\"col\" class=\"words\"><span>Next</span></th>"
      "<th scope=\"col\" data-best=\"high\"><span>Way to the oracle</span><small>gaussian 0 %, oracle 100 "
      "%</small></th>"
      "<th scope=\"col\"><span>gaussian</span><small>floor</small></th><th scope=\"col\"><span>oracle</span>"
      "<small>ceiling</small></th><th scope=\"col\"><span>perfect model</span><small>null "
      "value</small></th></tr></thead>\n"
      "<tbody>\n{}</tbody></table></div>\n"
      "<p class=\"hint\">Learners only: oracle, exact_score, gaussian and memorizer are never best. Arms "
      "within one standard "
      "error of the best share the place. s.e. is the standard error of the difference, paired where both "
      "have the same "
      "seeds; best and next were chosen after the fact, so this describes and is no test. A grey value with "
      "· is not to be "
      "told from a perfect model.</p>\n",
      rows);
}

// Mean ranks over tasks and seeds: figure and table; "" where there is nothing to rank.
std::string ranking_html(const Ranking& ranking) {
  const auto table = make_ranking_table(ranking);
  if (!table) return "";
  std::string html = fmt::format("<h3 id=\"ranking\">{}</h3>\n", escape_html(table->title));
  const std::string figure = figure_html(rank_figure(ranking), "ranks");
  if (!figure.empty()) html += "<div class=\"figures\">\n" + figure + "</div>\n";
  html += table_html(*table, table->description, true);
  html += "<ul class=\"footnotes\">\n";
  for (const std::string& note : table->footnotes) html += fmt::format("<li>{}</li>\n", escape_html(note));
  return html + "</ul>\n";
}

// Numbers of papers beside ours; "" where no method here is theirs.
std::string published_html(const ResultSet& results, const std::vector<TaskSummary>& summaries) {
  const auto table = make_published_table(compare_published(results, summaries));
  if (!table) return "";
  std::string html = fmt::format("<section id=\"published\">\n<h2>{}</h2>\n{}<ul class=\"footnotes\">\n",
                                 escape_html(table->title), table_html(*table, table->description, false));
  for (const std::string& note : table->footnotes) html += fmt::format("<li>{}</li>\n", escape_html(note));
  return html + "</ul>\n</section>\n";
}

// What the metrics of all tasks are: one entry a name.
struct MetricDefinition {
  std::string name;
  std::string arrow;
  std::string unit;
  std::vector<std::pair<std::string, std::string>> settings;  ///< task, parameters
};

std::vector<MetricDefinition> metric_definitions(const ResultSet& results, const std::vector<TaskSummary>& summaries) {
  std::vector<MetricDefinition> definitions;
  for (std::size_t t = 0; t < summaries.size(); ++t) {
    for (const SampleKind kind : {SampleKind::raw, SampleKind::projected}) {
      for (const TableColumn& column :
           make_table(results.tasks[t], summaries[t], all_columns(summaries[t], kind)).columns) {
        auto place = std::find_if(definitions.begin(), definitions.end(),
                                  [&](const MetricDefinition& one) { return one.name == column.metric; });
        if (place == definitions.end()) {
          place = definitions.insert(place, {column.metric, column.arrow, column.unit, {}});
        }
        const std::pair<std::string, std::string> entry = {results.tasks[t].name, column.parameters};
        if (std::find(place->settings.begin(), place->settings.end(), entry) == place->settings.end()) {
          place->settings.push_back(entry);
        }
      }
    }
  }
  return definitions;
}

std::string definitions_html(const std::vector<MetricDefinition>& definitions,
                             const std::map<std::string, std::string>& descriptions) {
  if (definitions.empty()) return "";
  std::string html =
      "<section id=\"definitions\">\n<h2>Definitions</h2>\n<p>Formulas, estimators and null values: "
      "<code>docs/metrics.md</code>. Settings are those of the records.</p>\n<dl class=\"definitions\">\n";
  for (const MetricDefinition& one : definitions) {
    const auto text = descriptions.find(one.name);
    const std::string direction = one.arrow == "↓"    ? "lower is better"
                                  : one.arrow == "↑"  ? "higher is better"
                                  : one.arrow.empty() ? "no direction"
                                                      : "best at " + one.arrow.substr(std::string_view("→").size());
    html += fmt::format("<div id=\"{}\" tabindex=\"-1\"><dt>{} {}</dt><dd>{}{}{}.</dd>", definition_id(one.name),
                        breakable(one.name), escape_html(one.arrow),
                        text == descriptions.end() ? "" : escape_html(text->second) + ". ", escape_html(direction),
                        one.unit.empty() ? "" : "; unit " + escape_html(one.unit));
    // One line for all tasks of equal settings.
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& [task, settings] : one.settings) {
      if (settings.empty()) continue;
      const auto same =
          std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.second == settings; });
      if (same == lines.end()) {
        lines.emplace_back(task, settings);
      } else if (same->first != task && !same->first.ends_with(", " + task)) {
        same->first += ", " + task;
      }
    }
    for (const auto& [tasks, settings] : lines) {
      html += fmt::format("<dd class=\"settings\">{}: {}</dd>", escape_html(tasks), escape_html(settings));
    }
    html += "</div>\n";
  }
  return html + "</dl>\n</section>\n";
}

std::string figures_html(std::size_t index, const std::vector<Figure>& figures) {
  std::string html;
  for (std::size_t i = 0; i < figures.size(); ++i)
    html += figure_html(figures[i], fmt::format("figure{}-{}", index, i));
  return html.empty() ? "" : "<h3>Figures</h3>\n<div class=\"figures\">\n" + html + "</div>\n";
}

std::string sheet_figure(std::string_view picture, std::string_view label, std::string_view detail, bool reference) {
  return fmt::format("<figure{}>{}<figcaption>{} <span>{}</span></figcaption></figure>\n",
                     reference ? " class=\"is-reference\"" : "", picture, escape_html(label), escape_html(detail));
}

// Real | generated | nearest training image, one sheet an arm.
std::string images_html(const TaskFile& file, const TaskPictures& pictures) {
  const ImageLayout& layout = *file.image;
  // White is what the brightest pixel of an image is in the mean.
  const double white = file.reference.leftCols(std::min<Index>(200, file.reference.cols())).colwise().maxCoeff().mean();
  if (!(white > 0.0)) return "";
  const auto image = [&](const Points& images, const std::string& words) {
    const Index columns = images_per_arm;
    const Index width = columns * (layout.width + 1) - 1;
    const Index height = (images.cols() + columns - 1) / columns * (layout.height + 1) - 1;
    return fmt::format("<img alt=\"{}\" width=\"{}\" height=\"{}\" src=\"data:image/png;base64,{}\">",
                       escape_html(words), width, height, base64(image_sheet_png(layout, images, columns, white)));
  };
  const Index n = std::min(images_per_arm, file.reference.cols());
  std::string sheets = sheet_figure(image(file.reference.leftCols(n), "Real images"), "real", "the true law", true);
  for (const ArmPicture& arm : pictures.arms) {
    const Points generated = arm.raw.leftCols(std::min(images_per_arm, arm.raw.cols()));
    if (!generated.allFinite()) {
      sheets += sheet_figure("<p>not finite</p>", arm.label, fmt::format("raw, seed {}", arm.seed), false);
      continue;
    }
    Points pairs(generated.rows(), generated.cols() + arm.nearest_training.cols());
    pairs << generated, arm.nearest_training;
    sheets += sheet_figure(image(pairs, arm.nearest_training.cols() == 0
                                            ? fmt::format("Images of {}", arm.label)
                                            : fmt::format("Images of {} above the nearest training images", arm.label)),
                           arm.label, fmt::format("raw, seed {}", arm.seed), false);
  }
  return fmt::format(
      "<h3>Generated images and their nearest training images</h3>\n<p class=\"hint\">First row: generated, "
      "raw; second row: to each the nearest image of its own training set, by Euclidean distance, where the "
      "file of the cell has it. All sheets have one scale of grey; values below 0 are black.</p>\n"
      "<div class=\"sheet images\">\n{}</div>\n",
      sheets);
}

// Torsions and traces, real and generated.
std::string backbones_html(const TaskFile& file, const TaskPictures& pictures, Index n_panel) {
  const Points real = backbone_torsion_pairs(file.reference);
  Index n = real.cols();
  for (const ArmPicture& arm : pictures.arms) n = std::min(n, backbone_torsion_pairs(arm.raw).cols());
  n = std::min(n, n_panel);
  // Room for the farthest atom of the real chains.
  const double half = 1.1 * file.reference.cwiseAbs().maxCoeff();
  std::string torsions;
  std::string traces = sheet_figure(trace_svg(file.reference, traces_per_arm, half, "Traces of real backbones"), "real",
                                    "the true law", true);
  if (n > 0) {
    torsions = sheet_figure(ramachandran_svg(real, n, "Torsions of real backbones"), "real", "the true law", true);
  }
  for (const ArmPicture& arm : pictures.arms) {
    const std::string detail = fmt::format("raw, seed {}", arm.seed);
    if (n > 0) {
      torsions += sheet_figure(ramachandran_svg(backbone_torsion_pairs(arm.raw), n, "Torsions of " + arm.label),
                               arm.label, detail, false);
    }
    traces +=
        sheet_figure(trace_svg(arm.raw, traces_per_arm, half, "Traces of " + arm.label), arm.label, detail, false);
  }
  std::string html;
  if (n > 0) {
    html = fmt::format(
        "<h3>Ramachandran plots</h3>\n<p class=\"hint\">{} pairs (φ to the right, ψ upwards, −180° to 180°) "
        "each, of the residues "
        "that are not next to the middle one, whose atoms are no data.</p>\n<div "
        "class=\"sheet\">\n{}</div>\n",
        n, torsions);
  }
  return html + fmt::format(
                    "<h3>Backbones</h3>\n<p class=\"hint\">Cα traces of {} chains each in the frame of the middle "
                    "residue, seen "
                    "along its third axis; the picture is {:.0f} Å wide.</p>\n<div class=\"sheet\">\n{}</div>\n",
                    traces_per_arm, 2.0 * half, traces);
}

void flatten(const Value& value, const std::string& prefix, std::map<std::string, std::string>& rows) {
  if (const auto* table = value.get_if<Value::Table>()) {
    for (const auto& [key, item] : *table) flatten(item, prefix.empty() ? key : prefix + "." + key, rows);
    return;
  }
  const auto* text = value.get_if<std::string>();
  if (const auto* array = value.get_if<Value::Array>()) {
    std::vector<std::string> parts;
    for (const Value& item : *array) {
      const auto* part = item.get_if<std::string>();
      parts.push_back(part == nullptr ? to_json(item) : *part);
    }
    rows[prefix] = fmt::format("{}", fmt::join(parts, " "));
    return;
  }
  rows[prefix] = text == nullptr ? to_json(value) : *text;
}

std::string provenance_html(const ResultSet& results) {
  std::map<std::string, std::set<std::string>> values;
  std::set<const Value*> seen;
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& cell : task.cells) {
      if (!seen.insert(cell.provenance.get()).second) continue;
      std::map<std::string, std::string> rows;
      flatten(*cell.provenance, "", rows);
      for (const auto& [key, value] : rows) values[key].insert(value);
    }
  }
  values.erase("");
  if (values.empty()) return "<p>The cells carry no provenance.</p>\n";
  std::string html = "<dl class=\"provenance\">\n";
  for (const auto& [key, variants] : values) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    const std::string shown =
        variants.size() == 1
            ? *variants.begin()
            : fmt::format("{} … {} ({} values over the cells)", *variants.begin(), *variants.rbegin(), variants.size());
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(name), escape_html(shown));
  }
  return html + "</dl>\n";
}

std::string failures_html(const ResultSet& results) {
  std::string items;
  std::size_t failed = 0;
  std::size_t cells = 0;
  for (const TaskResult& task : results.tasks) {
    cells += task.cells.size();
    if (!task.problem.empty()) {
      items += fmt::format("<li><code>{}</code>: {}</li>\n", escape_html(task.name), escape_html(task.problem));
    }
    for (const CellResult& cell : task.cells) {
      if (cell.problem.empty()) continue;
      ++failed;
      items += fmt::format("<li><code>{}</code>: {}</li>\n", escape_html(cell.key.text()), escape_html(cell.problem));
    }
  }
  if (items.empty()) return "";
  return fmt::format(
      "<div class=\"note warn\" id=\"failures\"><p><strong>{} of {} cells have no result.</strong> They "
      "count "
      "as missing; an arm with a missing seed is not ranked.</p>\n<ul>\n{}</ul></div>\n",
      failed, cells, items);
}

std::string lifts_html(const ResultSet& results, const std::vector<TaskSummary>& summaries) {
  const std::vector<LiftEffect> effects = lift_effects(results, summaries);
  const auto table = make_lift_table(effects);
  if (!table) return "";
  std::string html = fmt::format("<section id=\"lifts\">\n<h2>{}</h2>\n{}", table->title,
                                 table_html(*table, table->description, false));
  for (const std::string& note : table->footnotes) html += fmt::format("<p class=\"hint\">{}</p>\n", escape_html(note));
  const std::string figure = figure_html(lift_phase_figure(effects), "lifts");
  if (!figure.empty()) html += "<div class=\"figures\">\n" + figure + "</div>\n";
  return html + "</section>\n";
}

std::string judged_html(const ResultSet& results) {
  const std::vector<ClaimResult> judged = judge_claims(results);
  return claims_html(judged, claim_figures(results, judged));
}

std::string guide_html() {
  const std::vector<std::pair<const char*, const char*>> entries = {
      {"↓ ↑ →v", "Lower is better, higher is better, best at v."},
      {"raw, projected",
       "Samples as the model gave them; the same after the projection to the manifold. Distance to the "
       "manifold is the model's on raw samples only, fit along the manifold is read on projected ones."},
      {"bold, shaded", "Best learner of the column. All within one standard error of the best share the mark."},
      {"grey, ·", "Within two standard deviations of what a perfect model would get: not to be told from it here."},
      {"perfect model",
       "The null value: what an estimator gives at these sizes when the samples are true. It is not 0 "
       "and not 1."},
      {"oracle", "Fresh true samples. No model can do better."},
      {"exact_score", "The sampler driven by the exact score: the error of sampling without the error of learning."},
      {"gaussian, memorizer",
       "A fit of mean and covariance only, and copies of the training points: what a good model "
       "has to beat, and must not resemble."},
      {"none, isotropic, normal",
       "What was done to the training data: nothing, noise in all directions, noise in the "
       "normal directions of the manifold only (manifold-aware perturbation)."}};
  std::string html = "<dl class=\"guide\">\n";
  for (const auto& [term, text] : entries) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(term), escape_html(text));
  }
  return html + "</dl>\n";
}

std::string facts_html(const ResultSet& results) {
  std::set<std::string> methods;
  std::set<int> seeds;
  std::size_t arms = 0;
  std::size_t cells = 0;
  for (const TaskResult& task : results.tasks) {
    std::set<std::pair<std::string, std::string>> of_task;
    for (const CellResult& cell : task.cells) {
      methods.insert(cell.key.method);
      seeds.insert(cell.key.seed);
      of_task.emplace(cell.key.method, cell.key.lift);
      ++cells;
    }
    arms = std::max(arms, of_task.size());
  }
  const auto fact = [](const char* name, const std::string& value) {
    return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
  };
  return "<dl class=\"facts\">\n" + fact("tasks", fmt::format("{}", results.tasks.size())) +
         fact("methods", fmt::format("{}", methods.size())) + fact("arms a task", fmt::format("{}", arms)) +
         fact("seeds", fmt::format("{}", seeds.size())) + fact("cells", fmt::format("{}", cells)) + "</dl>\n";
}

}  // namespace

std::string html_report(const ResultSet& results, const HtmlOptions& options) {
  const std::string suite = suite_name(results);
  const std::string title = suite.empty() ? "OnManifold results" : fmt::format("OnManifold: suite {}", suite);

  // How many points fit is known once the arms are counted.
  std::vector<TaskSummary> summaries;
  std::vector<TaskPictures> pictures;
  std::size_t clouds = 1;
  for (const TaskResult& task : results.tasks) {
    summaries.push_back(summarise(task));
    pictures.push_back(load_pictures(results.directory, task, summaries.back()));
    clouds += pictures.back().arms.size() + 1;
  }
  // 16 bytes of Base64 a point and its projection; about 9 bytes a point in a static view.
  const auto n_points =
      std::min(points_per_arm, static_cast<Index>(bytes_for_points / 16.0 / static_cast<double>(clouds)));
  const auto n_panel =
      std::min(points_per_panel, static_cast<Index>(bytes_for_panels / 9.0 / static_cast<double>(clouds)));

  const std::vector<MetricDefinition> definitions = metric_definitions(results, summaries);
  std::set<std::string> defined;
  for (const MetricDefinition& one : definitions) defined.insert(one.name);

  std::string sections;
  const bool has_claims = holds_claims(results);
  const std::string lifts = lifts_html(results, summaries);
  std::string links = "<a href=\"#overview\">overview</a>\n";
  if (has_claims) links += "<a href=\"#claims\">claims</a>\n";
  const std::string published = published_html(results, summaries);
  if (!published.empty()) links += "<a href=\"#published\">published</a>\n";
  if (!lifts.empty()) links += "<a href=\"#lifts\">lifts</a>\n";
  bool has_viewer = false;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    links += fmt::format("<a href=\"#task-{}\">{}</a>\n", t, escape_html(task.name));
    sections += fmt::format("<section id=\"task-{}\">\n<h2>{}</h2>\n", t, escape_html(task.name));
    if (task.file && !task.file->description.empty()) {
      sections += fmt::format("<p>{}</p>\n", escape_html(task.file->description));
    }
    sections += tables_html(t, task, summaries[t], defined);
    std::vector<std::string> problems = pictures[t].problems;
    switch (pictures[t].view) {
      case View::space:
      case View::rotations:
        sections += viewer_html(t, *task.file, pictures[t], n_points, n_panel);
        has_viewer = true;
        break;
      case View::images:
        sections += images_html(*task.file, pictures[t]);
        break;
      case View::backbones:
        sections += backbones_html(*task.file, pictures[t], n_panel);
        break;
      case View::none:
        sections += fmt::format("<p class=\"hint\">No picture of samples: {}.</p>\n",
                                !task.file                         ? escape_html(task.problem)
                                : task.file->reference.cols() == 0 ? "the task file holds no reference points"
                                : first_nonfinite_column(task.file->reference) >= 0
                                    ? "the reference points are not finite"
                                    : "only points of space, rotations, images and backbones are drawn");
    }
    const std::vector<CurveSet> curves = load_curves(results.directory, task, summaries[t], problems);
    sections += figures_html(t, task_figures(task, summaries[t], curves));
    std::sort(problems.begin(), problems.end());
    problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
    for (const std::string& problem : problems) {
      sections += fmt::format("<p class=\"hint\">Not drawn: {}</p>\n", escape_html(problem));
    }
    sections += "</section>\n";
  }

  std::string conclusions;
  for (const std::string& line : conclusion_lines(results))
    conclusions += fmt::format("<p>{}</p>\n", escape_html(line));

  const std::string csv =
      download_link("All numbers as CSV", "report.csv", "text/csv", csv_report(results), bytes_for_csv);
  const std::string latex =
      download_link("Tables as LaTeX", "report.tex", "application/x-tex", latex_report(results), bytes_for_latex);
  std::string downloads = "<p class=\"downloads\">" + csv + latex + "</p>\n";
  if (csv.empty() || latex.empty()) {
    downloads += "<p class=\"hint\">What is too large for this page is in the report formats csv and tex.</p>\n";
  }

  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data: blob:\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip "
      "to the "
      "results</a>\n<header class=\"page\">\n<p class=\"eyebrow\">OnManifold {2}{3}</p>\n"
      "<h1>How well do generative models learn data on a known manifold?</h1>\n"
      "<p class=\"lead\">Each task is a law on a known surface. Each arm is a generative model trained on "
      "data of that law, as "
      "they are or perturbed first. The tables tell how far its samples are from the law and from the "
      "surface, between a "
      "floor (gaussian) and a ceiling (oracle).</p>\n{4}",
      escape_html(title), page_style(), escape_html(version()), suite.empty() ? "" : " · suite " + escape_html(suite),
      facts_html(results));
  page += fmt::format("<div class=\"note\"><p><strong>What this allows to conclude.</strong></p>\n{}</div>\n{}",
                      conclusions, failures_html(results));
  page += fmt::format(
      "{}</header>\n<nav class=\"tasks\" aria-label=\"Parts of this page\">\n<div>\n{}"
      "<a href=\"#definitions\">definitions</a>\n<a href=\"#provenance\">provenance</a>\n</div>\n</nav>\n"
      "<main id=\"content\">\n{}<section id=\"guide\">\n<h2>How to read the tables</h2>\n{}</section>\n",
      downloads, links,
      overview_html(results, summaries, defined) + ranking_html(rank_arms(results, summaries)) + "</section>\n",
      guide_html());
  if (has_claims) page += judged_html(results);
  page += published;
  page += lifts;
  page += sections;
  page += definitions_html(definitions, options.metric_descriptions);
  page += fmt::format(
      "<section id=\"provenance\">\n<h2>Provenance</h2>\n{}</section>\n</main>\n"
      "<footer class=\"page\"><p>Written by OnManifold {}. The page loads nothing from the network.{}</p>"
      "</footer>\n",
      provenance_html(results), escape_html(version()),
      has_viewer ? " Views are drawn by three.js r111 (MIT licence)." : "");
  page += fmt::format("<script>\n{}</script>\n", tables_script());
  if (has_viewer) {
    page += fmt::format("<script>\n/* {} */\n", three_licence());
    page += three_script();
    page += "\n</script>\n<script>\n";
    page += orbit_controls_script();
    page += "\n</script>\n<script>\n";
    page += viewer_script();
    page += "</script>\n";
  }
  return page + "</body>\n</html>\n";
}

}  // namespace onmanifold
