// SPDX-License-Identifier: Apache-2.0
#include "reports/figure_report.hpp"

#include <filesystem>

#include "core/files/atomic_file.hpp"
#include "reports/claim_figures.hpp"
#include "reports/gnuplot.hpp"
#include "reports/interval_figure.hpp"
#include "reports/task_figures.hpp"

namespace onmanifold {

std::vector<Figure> all_figures(const Analysis& analysis, std::vector<std::string>& problems) {
  std::vector<Figure> figures = {interval_figure(analysis.matrix), rank_figure(analysis.ranking),
                                 lift_figure(analysis.lifts)};
  for (const TaskAnalysis& task : analysis.tasks) {
    for (Figure& figure : task_figures(task, load_curves(analysis.results->directory, task, problems))) {
      figures.push_back(std::move(figure));
    }
  }
  if (!analysis.claims.empty()) {
    for (ClaimFigure& one : claim_figures(*analysis.results, analysis.claims)) figures.push_back(std::move(one.figure));
  }
  std::erase_if(figures, [](const Figure& figure) { return figure.commands.empty(); });
  return figures;
}

std::vector<std::string> FigureReporter::write(const Report& report, const std::string& directory) const {
  const std::filesystem::path folder = std::filesystem::path(directory) / "figures";
  // Curves that cannot be read are missing from their figure, as on the page, which says so.
  std::vector<std::string> unread;
  for (const Figure& figure : all_figures(report.analysis, unread)) {
    for (const char* format : {"svg", "pdf", "png"}) {
      write_file((folder / (figure.name + "." + format)).string(), gnuplot_file(figure, format));
    }
  }
  std::filesystem::create_directories(folder);
  return {folder.string()};
}

}  // namespace onmanifold
