// SPDX-License-Identifier: Apache-2.0
// The command onmanifold: parses arguments, calls a subcommand, turns exceptions into one line and an exit code.

#include <charconv>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"
#include "results/provenance.hpp"

namespace {

using namespace onmanifold;  // the one place where the whole library meets the user

/// "500M", "2G", "1000000" in bytes; 0 for an empty text. \throw InvalidInput
std::uint64_t parse_size(const std::string& text) {
  if (text.empty()) return 0;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::string_view units = "kMGT";
  const std::size_t unit = suffix.size() == 1 ? units.find(suffix.front()) : std::string_view::npos;
  if (error != std::errc() || value == 0 || (!suffix.empty() && unit == std::string_view::npos)) {
    throw InvalidInput(fmt::format("--memory '{}' is not a size like 500M or 2G", text));
  }
  for (std::size_t i = 0; !suffix.empty() && i <= unit; ++i) value *= 1000;
  return value;
}

int dispatch(int argc, char** argv) {
  CLI::App app{
      "OnManifold: how well does a generative model learn data that lives on a known manifold, and where in the\n"
      "pipeline is the dimension mismatch best handled?"};
  app.name("onmanifold");
  app.require_subcommand(1);
  app.set_version_flag("--version", version());
  const std::string exit_codes =
      "Exit codes: 0 ok, 1 a failed cell or a fault of the environment (a full disk), 2 wrong usage or bad input.";
  app.footer(
      "Start with\n"
      "  onmanifold run quick\n"
      "  onmanifold report results/quick\n"
      "and go on with 'onmanifold COMMAND --help', which has examples of each command.\n\n"
      "Exit codes: 0 ok, 1 a regression, a failed cell or a fault of the environment, 2 wrong usage or bad input,\n"
      "3 nothing comparable. Results go to stdout; progress, warnings and one line for an error to stderr.");
  std::function<int()> action;

  RunArguments run;
  run.command_line.assign(argv, argv + argc);
  CLI::App* run_app = app.add_subcommand("run", "Run a suite: train, sample, project and measure every cell");
  run_app->add_option("suite", run.suite, "Name of a shipped suite, or a path to a TOML file")->required();
  run_app->add_option("-o,--output", run.directory, "Results directory (default: results/<suite>)");
  run_app->add_option("-j,--jobs", run.workers, "Worker processes (default: one a core)")->check(CLI::PositiveNumber);
  run_app->add_option("--seeds", run.seeds, "Replicates A..B instead of the suite's own");
  run_app->add_option("--only", run.only, "Only cells <task>/<method>/<lift>/seed-<k> that match this shell glob");
  run_app->add_option("--shard", run.shard, "Only the I-th of N shares of the cells, as I/N with I from 1");
  run_app->add_flag("--force", run.force, "Compute cells again whose configuration changed");
  run_app->add_flag("--metrics-only", run.metrics_only, "Recompute metrics from stored samples; train nothing");
  run_app->add_flag(
      "--dry-run", run.dry_run,
      "Print the cells left to do, how long they will take and how much they will write; compute nothing");
  run_app->add_option("--write-costs", run.costs, "With --dry-run: write what the finished cells took to this .csv")
      ->needs("--dry-run");
  run_app->footer(
      "Finished cells are skipped, so the same command resumes an interrupted run. Failed cells are tried again.\n"
      "Results do not depend on -j, --shard, order or interruption, bit for bit.\n\n"
      "Examples:\n"
      "  onmanifold run quick --dry-run                        what it would compute, and for how long\n"
      "  onmanifold run quick                                  into results/quick\n"
      "  onmanifold run paper --only 'sphere-*/ddpm/*' -j 4    some cells of a long suite\n"
      "  onmanifold run mine.toml --seeds 5..9                 more replicates of your own suite\n\n" +
      exit_codes);
  run_app->callback([&] { action = [&] { return run_command(run); }; });

  SlurmArguments slurm;
  CLI::App* slurm_app =
      app.add_subcommand("slurm", "Write a Slurm job array that runs a suite over a shared directory, or submit it");
  slurm_app->add_option("suite", slurm.suite, "Name of a shipped suite, or a path to a TOML file")->required();
  slurm_app->add_option("-o,--output", slurm.directory,
                        "Results directory that all nodes see (default: results/<suite>)");
  slurm_app->add_option("--array", slurm.tasks, "Tasks of the array (default: one a cell, at most 32)")
      ->check(CLI::PositiveNumber);
  slurm_app->add_option("--seeds", slurm.seeds, "Replicates A..B instead of the suite's own");
  slurm_app->add_option("--only", slurm.only, "Only cells that match this shell glob, as of run");
  slurm_app->add_flag("--force", slurm.force, "Compute cells again whose configuration changed");
  slurm_app->add_flag("--submit", slurm.submit, "Submit the script with sbatch");
  slurm_app->add_option("sbatch", slurm.options,
                        "After '--': options of sbatch, e.g. -- --partition=long --time=4:00:00");
  slurm_app->footer(
      "Writes DIR/slurm.sh. Each task runs its share, 'run --shard I/N', on --cpus-per-task workers (default 1). Tasks may\n"
      "be killed, requeued and submitted again; 'onmanifold run' with the same -o shows what is left.\n\n"
      "Example:\n"
      "  onmanifold slurm paper -o /shared/paper --array 16 -- --time=4:00:00\n\n" +
      exit_codes);
  slurm_app->callback([&] { action = [&] { return slurm_command(slurm); }; });

  ReportArguments report;
  CLI::App* report_app = app.add_subcommand("report", "Print the table of a results directory and write its pages");
  report_app->add_option("directory", report.directory, "Results directory")->required();
  report_app->add_option("-o,--output", report.output, "Where to write (default: the results directory)");
  report_app->add_option("--format", report.formats, "Comma-separated: html, md, csv, tex, figures (SVG and PNG)")
      ->capture_default_str();
  report_app
      ->add_option("--submission", report.submissions,
                   "JSON of score --task: a row beside the built-in ones (may be repeated)")
      ->allow_extra_args(false);
  report_app->footer(
      "A submission must have been scored on the same task, reference and sizes; otherwise one line says what differs,\n"
      "nothing is written, and the exit code is 2.\n\n"
      "Examples:\n"
      "  onmanifold report results/quick                       the table, and report.* beside the results\n"
      "  onmanifold report results/quick -o pages --format md  one format, into another folder\n"
      "  onmanifold report results/quick --submission mine.json\n\n" +
      exit_codes);
  report_app->callback([&] { action = [&] { return report_command(report); }; });

  CompareArguments compare;
  CLI::App* compare_app = app.add_subcommand("compare", "Gate a candidate's results against a baseline's");
  compare_app->add_option("baseline", compare.baseline, "Results directory to compare with")->required();
  compare_app->add_option("candidate", compare.candidate, "Results directory to judge")->required();
  compare_app->add_option("--alpha", compare.options.alpha, "Family-wise rate of false alarms")->capture_default_str();
  compare_app->add_option("--margin", compare.options.relative, "Practical margin, as a fraction of the baseline")
      ->capture_default_str();
  compare_app
      ->add_option("--metrics", compare.options.gated,
                   "Gated metrics instead of each task's first, comma-separated (projected samples)")
      ->delimiter(',');
  compare_app->add_flag("--time", compare.options.time, "Gate seconds and memory too (10 %, same model of CPU)");
  compare_app->add_flag("--exact", compare.options.exact, "Samples and metrics must agree bit for bit");
  compare_app->add_flag("--require-all", compare.require_all, "Exit 3 where the candidate lacks arms or replicates");
  compare_app->add_option("--json", compare.json, "Write every line as JSON to FILE");
  compare_app->add_option("--markdown", compare.markdown, "Write a comment for a pull request to FILE");
  compare_app->footer(
      "A metric regresses where its mean worsens by more than the margin (and than the spread of a perfect model's\n"
      "value) and a one-sided test over replicates rejects after Holm: sign flips for pairs, Mann-Whitney otherwise.\n"
      "\nExamples:\n"
      "  onmanifold compare baseline results/quick                      every task's first metric\n"
      "  onmanifold compare baseline results/quick --markdown gate.md   and a comment for a pull request\n"
      "  onmanifold compare baseline results/quick --exact              nothing may have moved\n\n"
      "Exit codes: 0 none detected, 1 a regression, 2 wrong usage or bad input, 3 nothing comparable.");
  compare_app->callback([&] { action = [&] { return compare_command(compare); }; });

  ScoreArguments score;
  std::string memory;
  CLI::App* score_app =
      app.add_subcommand("score", "Score samples of any origin with a task's metrics, or against a file");
  score_app->add_option("--samples", score.request.samples, "FILE: .npy, .csv or .h5[:dataset], one sample a row")
      ->required();
  score_app->add_option("--task", score.request.task,
                        "Reference, manifold, metrics and settings of this task, or NAME(key=value,...)");
  score_app->add_option("--reference", score.request.reference, "FILE to compare with instead of a task");
  score_app->add_option("--manifold", score.request.manifold, "Manifold of --reference, e.g. sphere:dim=2,radius=1");
  score_app->add_option("--train", score.request.train, "FILE of the training points, for train_copy_rate");
  score_app->add_option("--metrics", score.request.metrics, "Comma-separated, e.g. 'coverage(k=5),tvd'");
  score_app
      ->add_option("--reference-size", score.request.reference_size,
                   "Reference draws of the task, as n_reference of a suite")
      ->capture_default_str();
  score_app->add_flag("--allow-nonfinite", score.request.allow_nonfinite,
                      "Count rows that are not finite and leave them out, instead of refusing the file");
  score_app->add_option("--memory", memory,
                        "Limit for points and working memory, e.g. 500M or 2G; larger files are read in chunks");
  score_app->add_option("--json", score.json,
                        "Also write the result as JSON to FILE; '-' prints it instead of the table");
  score_app->add_option("--name", score.request.name,
                        "Name of the method, for report --submission (default: the file's)");
  score_app->footer(
      "Rows of --samples are points as the model made them; with a manifold they are measured raw and projected.\n\n"
      "Examples:\n"
      "  onmanifold score --task sphere-vmf6 --samples mine.npy --train train.npy --json mine.json\n"
      "  onmanifold score --samples mine.csv --reference test.csv --manifold sphere:dim=2,radius=1\n"
      "  onmanifold score --samples mine.npy --reference test.npy --metrics 'coverage(k=5),tvd(bins=20)'\n\n" +
      exit_codes);
  score_app->callback([&] {
    action = [&] {
      score.request.memory_bytes = parse_size(memory);
      return score_command(score);
    };
  });

  ExportArguments exported;
  CLI::App* export_app =
      app.add_subcommand("export", "Write training points of a task, or its reference, for another program");
  export_app->add_option("task", exported.task, "Name of a task, or NAME(key=value,...) with settings")->required();
  export_app->add_option("-n", exported.n, "Number of points")->required();
  export_app->add_option("--seed", exported.seed, "Replicate whose training points are written");
  export_app->add_flag("--reference", exported.reference,
                       "The reference that scores compare with instead, without --seed");
  export_app->add_option("--lift", exported.lift, "none, normal[:sigma=S] or isotropic[:sigma=S]");
  export_app->add_flag("--full", exported.full,
                       "With the constant coordinates that the task leaves out: frame atoms, dropped pixels");
  export_app->add_option("-o,--output", exported.output, "FILE: .npy, .csv or .h5[:dataset]")->required();
  export_app->footer(
      "The points are those that a suite with seed = 0 gives to its methods. The SHA-256 of the numbers is printed.\n\n"
      "Examples:\n"
      "  onmanifold export sphere-vmf6 -n 10000 --seed 0 -o train.npy\n"
      "  onmanifold export sphere-vmf6 -n 10000 --seed 0 --lift normal:sigma=0.1 -o lifted.npy\n"
      "  onmanifold export sphere-vmf6 -n 10000 --reference -o reference.npy\n\n" +
      exit_codes);
  export_app->callback([&] { action = [&] { return export_command(exported); }; });

  AdviseArguments advise;
  CLI::App* advise_app = app.add_subcommand(
      "advise", "Say how much lift a task or your own data bear, and how many seeds an effect needs");
  advise_app->add_option("--task", advise.task, "Name of a task, or NAME(key=value,...) with settings");
  advise_app->add_option("--train,--data", advise.train,
                         "FILE of clean points: .npy, .csv or .h5[:dataset], one a row");
  advise_app->add_option("--manifold", advise.manifold, "Manifold of these points, e.g. sphere:dim=2,radius=1");
  advise_app->add_option("-n,--points", advise.points, "Use at most so many points")
      ->check(CLI::Range(2L, 10'000'000L))
      ->capture_default_str();
  advise_app
      ->add_option("--s-min", advise.smallest_noise,
                   "Smallest noise level of the models, in units of the data's spread (default: the task's, or 0.01)")
      ->check(CLI::PositiveNumber);
  advise_app->add_option("--effect", advise.effect, "Mean paired difference of a metric that should be found")
      ->check(CLI::PositiveNumber);
  advise_app->add_option("--sd", advise.sd, "Spread of that difference over seeds")->check(CLI::PositiveNumber);
  advise_app->add_option("--json", advise.json,
                         "Also write the result as JSON to FILE; '-' prints it instead of the table");
  advise_app->footer(
      "Recommended is the task's pre-registered level; for other data a tenth of the reach or of the data's spread,\n"
      "whichever is less; without a reach, the largest level tried of which at most a tenth do not come back.\n\n"
      "Examples:\n"
      "  onmanifold advise --task bunny-eigen\n"
      "  onmanifold advise --train mine.npy --manifold sphere:dim=2,radius=1 --effect 0.01 --sd 0.02\n\n" +
      exit_codes);
  advise_app->callback([&] { action = [&] { return advise_command(advise); }; });

  FragmentsArguments fragments;
  CLI::App* fragments_app =
      app.add_subcommand("fragments", "Cut the structures of a folder into backbone fragments for the backbone tasks");
  fragments_app->add_option("folder", fragments.folder, "Folder with .pdb, .ent, .cif or .mmcif files, also .gz")
      ->required();
  fragments_app->add_option("--residues", fragments.options.residues, "Length of a fragment")->capture_default_str();
  fragments_app->add_option("--step", fragments.options.step,
                            "Residues from one fragment to the next (default: its length)");
  fragments_app->add_option("--per-chain", fragments.options.per_chain, "At most so many of a chain (default: all)");
  fragments_app->add_flag("--allow-cis", fragments.options.allow_cis, "Keep fragments with cis peptides");
  fragments_app->add_flag("--skip-bad", fragments.options.skip_bad, "Name files that cannot be read and go on");
  fragments_app->add_option("-o,--output", fragments.output, "FILE.h5")->required();
  fragments_app->footer(
      "Example:\n"
      "  onmanifold fragments structures --residues 16 --per-chain 4 -o mine.h5\n\n" +
      exit_codes);
  fragments_app->callback([&] { action = [&] { return fragments_command(fragments); }; });

  LenetArguments lenet;
  lenet.task = "flux-mnist";
  CLI::App* lenet_app =
      app.add_subcommand("lenet", "Train the classifier behind fid_lenet, or say what there is of it");
  lenet_app->add_option("task", lenet.task, "A task of labelled images, also with settings: 'flux-mnist(data=made)'")
      ->capture_default_str();
  lenet_app->add_flag("--force", lenet.force, "Train again, e.g. when the file was damaged");
  lenet_app->footer(
      "Its weights are kept beside the images. A run or score that needs them and finds none trains them itself.\n\n"
      "Example:\n"
      "  onmanifold lenet flux-mnist14\n\n" +
      exit_codes);
  lenet_app->callback([&] { action = [&] { return lenet_command(lenet); }; });

  std::string kind;
  CLI::App* list_app = app.add_subcommand("list", "List what there is, one item a line, name first");
  list_app->add_option("kind", kind, "One kind only")
      ->check(CLI::IsMember({"tasks", "methods", "lifts", "manifolds", "metrics", "diagnostics", "claims", "suites"}));
  list_app->footer("Example:\n  onmanifold list tasks\n\n" + exit_codes);
  list_app->callback([&] { action = [&] { return list_command(kind); }; });

  std::string name;
  CLI::App* describe_app = app.add_subcommand("describe", "Say everything about one task, method, metric, suite, …");
  describe_app
      ->add_option("name", name, "A name that list prints; a task may have settings, 'backbone-8(planar_omega=true)'")
      ->required();
  describe_app->footer(
      "Examples:\n"
      "  onmanifold describe sphere-vmf6     law, manifold, metrics, pre-registered lift, settings\n"
      "  onmanifold describe ddpm            settings of a method with their defaults\n"
      "  onmanifold describe tvd             what a metric measures, and its settings\n\n" +
      exit_codes);
  describe_app->callback([&] { action = [&] { return describe_command(name); }; });

  std::string directory;
  CLI::App* verify_app =
      app.add_subcommand("verify", "Check schema, checksums and completeness of a results directory");
  verify_app->add_option("directory", directory, "Results directory")->required();
  verify_app->footer("Example:\n  onmanifold verify results/quick\n\n" + exit_codes);
  verify_app->callback([&] { action = [&] { return verify_command(directory); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_bad_input;
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  // A write past a limit on file sizes is an error of that write, with the path in its message, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return dispatch(argc, argv);
  } catch (const InvalidInput& error) {
    fmt::print(stderr, "onmanifold: {}\n", printable(error.what()));
    return exit_bad_input;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "onmanifold: out of memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "onmanifold: {}\n", printable(error.what()));
  }
  return exit_failure;
}
